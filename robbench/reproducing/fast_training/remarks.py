"""What a reader of the comparison must know: what was not run, and in what its conditions are not equal."""

from collections.abc import Sequence

from robbench.reproducing.collecting import remarks
from robbench.reproducing.fast_training.evidence import Evidence
from robbench.reproducing.fast_training.settings import DIGITS
from robbench.reproducing.shelf import Shelf

_STAND_IN = (
    "Digits stand in for what the papers show on CIFAR-10: ε = 0.3 is a large one there, the network is "
    "small, and each training was made once."
)

_TWICE = {"fast-at-ga", "fast-bat"}
_UNCOUNTED = (
    "FAST-AT-GA and FAST-BAT differentiate a gradient, which passes do not count apart: beside PGD-AT they "
    "compute about half as much again as their passes say."
)


def remarks_on(known: Sequence[Evidence], shelf: Shelf) -> list[str]:
    """Remarks on all settings, in sentences."""
    found = {run: stored for evidence in known for run, stored in evidence.runs.items() if stored is not None}
    notes = remarks(found, shelf)
    for evidence in known:
        notes += _unequal(evidence)
    if any(evidence.setting == DIGITS and evidence.subjects for evidence in known):
        notes.append(_STAND_IN)
    if any(evidence.subjects.keys() & _TWICE for evidence in known):
        notes.append(_UNCOUNTED)
    return [*notes, *_missing(known)]


def _unequal(evidence: Evidence) -> list[str]:
    trainings = [subject.training for subject in evidence.subjects.values() if subject.training]
    notes = []
    lengths = {(training["iterations"], training["batch_size"]) for training in trainings}
    if len(lengths) > 1:
        words = ", ".join(f"{count:,} of {batch}" for count, batch in sorted(lengths))
        notes.append(f"{evidence.setting.title}: trainings have different lengths: {words} images.")
    held_out = {training["held_out"] for training in trainings}
    if len(held_out) > 1:
        words = " to ".join(f"{count:,.0f}" for count in (min(held_out), max(held_out)))
        notes.append(
            f"{evidence.setting.title}: of the training images {words} were held out for the watch, so that "
            "not all were trained on the same."
        )
    failed = [subject.title for subject in evidence.subjects.values() if not subject.learned]
    if failed:
        notes.append(
            f"{evidence.setting.title}: {', '.join(failed)} did not learn: clean accuracy is no better than "
            "guessing. Such a training decides no claim about accuracy or collapse."
        )
    devices = {training["device"] for training in trainings}
    if len(devices) > 1:
        notes.append(
            f"{evidence.setting.title}: seconds were taken under different conditions "
            f"({'; '.join(sorted(devices))}); passes can be compared."
        )
    measures = {training["memory_measure"] for training in trainings} - {""}
    notes += [f"{evidence.setting.title}: memory is {measure}." for measure in sorted(measures)]
    return notes


def _missing(known: Sequence[Evidence]) -> list[str]:
    lacking = [
        f"{evidence.setting.title} ({len(missing)} of {len(evidence.setting.defenses)} defenses)"
        for evidence in known
        if (missing := [name for name in evidence.setting.defenses if name not in evidence.subjects])
    ]
    return [f"Not run: {'; '.join(lacking)}."] if lacking else []
