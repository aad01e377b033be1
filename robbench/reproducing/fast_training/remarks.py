"""What a reader of the comparison must know: what was not run, and in what its conditions are not equal."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from robbench.reproducing.collecting import remarks
from robbench.reproducing.fast_training.evidence import Evidence
from robbench.reproducing.fast_training.settings import DIGITS, SECOND_ORDER
from robbench.reproducing.shelf import Shelf

_STAND_IN = (
    "Digits stand in for what the papers show on CIFAR-10: ε = 0.3 is a large one there, and the network is "
    "small."
)
_UNCOUNTED = (
    "FAST-AT-GA and FAST-BAT differentiate a gradient, which passes do not count apart: beside PGD-AT they "
    "compute about half as much again as their passes say."
)


def remarks_on(known: Sequence[Sequence[Evidence]], shelf: Shelf) -> list[str]:
    """Remarks on all settings, in sentences.

    Args:
        known: What is known of each setting, seed by seed.
        shelf: Where it lies.
    """
    trained = [evidence for seeds in known for evidence in seeds]
    notes = remarks({run: there for one in trained for run, there in one.runs.items() if there}, shelf)
    notes += _said_together([said for seeds in known for said in _unequal(seeds)])
    if any(evidence.setting == DIGITS and evidence.subjects for evidence in trained):
        notes.append(_STAND_IN)
    if any(evidence.subjects.keys() & SECOND_ORDER for evidence in trained):
        notes.append(_UNCOUNTED)
    return [*notes, *_said_together(_seeds(known)), *_missing(known)]


class _Said(NamedTuple):
    """What is said of a setting."""

    setting: str
    words: str


def _said_together(notes: Sequence[_Said]) -> list[str]:
    """Sentences, each once, after all settings of which it is said."""
    settings: dict[str, list[str]] = {}
    for note in notes:
        settings.setdefault(note.words, []).append(note.setting)
    return [f"{'; '.join(names)}: {words}" for words, names in settings.items()]


def _unequal(seeds: Sequence[Evidence]) -> list[_Said]:
    subjects = [subject for evidence in seeds for subject in evidence.subjects.values()]
    trainings = [subject.training for subject in subjects if subject.training]
    notes = list[str]()
    lengths = {(training["iterations"], training["batch_size"]) for training in trainings}
    if len(lengths) > 1:
        words = ", ".join(f"{count:,} of {batch}" for count, batch in sorted(lengths))
        notes.append(f"trainings have different lengths: {words} images.")
    held_out = {training["held_out"] for training in trainings}
    if len(held_out) > 1:
        words = " to ".join(f"{count:,.0f}" for count in (min(held_out), max(held_out)))
        notes.append(
            f"of the training images {words} were held out for the watch, so that not all were "
            "trained on the same."
        )
    failed = dict.fromkeys(subject.title for subject in subjects if not subject.learned)
    if failed:
        notes.append(
            f"{', '.join(failed)} did not learn: clean accuracy is no better than guessing. Such a "
            "training decides no claim about accuracy or collapse."
        )
    devices = {training["device"] for training in trainings}
    if len(devices) > 1:
        notes.append(
            f"seconds were taken under different conditions ({'; '.join(sorted(devices))}); passes "
            "can be compared."
        )
    measures = {training["memory_measure"] for training in trainings} - {""}
    notes += [f"memory is {measure}." for measure in sorted(measures)]
    return [_Said(seeds[0].setting.title, note) for note in notes]


def _seeds(known: Sequence[Sequence[Evidence]]) -> list[_Said]:
    """From how many seeds the trainings were made, and what follows for the numbers."""
    notes = list[_Said]()
    for seeds in known:
        counts = Counter(one.title for evidence in seeds for one in evidence.subjects.values())
        most = max(counts.values(), default=0)
        if most == 1:
            notes.append(_Said(seeds[0].setting.title, "each training was made once."))
        elif most:
            fewer = [title for title, count in counts.items() if count < most]
            but = f", fewer of {', '.join(fewer)}" if fewer else ""
            words = (
                f"{most} trainings of each defense{but}, from as many seeds; accuracies and costs are their "
                "means, intervals leave the images to chance and not the seeds, and a claim is decided where "
                "every seed decides it alike."
            )
            notes.append(_Said(seeds[0].setting.title, words))
    return notes


def _missing(known: Sequence[Sequence[Evidence]]) -> list[str]:
    lacking = []
    for seeds in known:
        setting, there = seeds[0].setting, set().union(*(evidence.subjects for evidence in seeds))
        if missing := [name for name in setting.defenses if name not in there]:
            lacking.append(f"{setting.title} ({len(missing)} of {len(setting.defenses)} defenses)")
    return [f"Not run: {'; '.join(lacking)}."] if lacking else []
