"""What a run says of itself in words and tables, before it starts and after it ends."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from robbench.cautions import cautions, is_in_bfloat16
from robbench.epsilon import parse_grid
from robbench.models import ModelCard
from robbench.preparation import PreparedRun
from robbench.running import RunReport
from robbench.spec import CANONICAL
from robbench.text_table import TextTable
from robbench.wording import counted, percent


def announce(prepared: PreparedRun, folder: Path) -> list[str]:
    """What will be computed, in a few lines."""
    unit = prepared.unit
    dataset = prepared.workplace.dataset
    grid = ", ".join(unit.format(epsilon) for epsilon in prepared.epsilons)
    lines = [
        f"{prepared.info.title}: {counted(len(dataset), 'sample')}, {prepared.spec.norm}, ε = {grid}",
        f"{counted(len(prepared.plan.jobs), 'job')} on {prepared.manifest['device']}, into {folder}",
    ]
    lines += _precision_note(prepared)
    lines += _models_note(prepared)
    lines += _draws_notes(prepared)
    lines += _grid_notes(prepared.spec.eps_grid)
    for cell, earlier in prepared.plan.shared():
        reason = "has no layer to approximate" if cell.attack.startswith("bpda") else "asks for the same"
        lines.append(f"{cell.attack} on {cell.defense} {reason}: it is {earlier.attack}, computed once.")
    return lines + cautions(prepared)


def _precision_note(prepared: PreparedRun) -> list[str]:
    """In which arithmetic attack steps are taken, where it is not float32 as a matter of course."""
    if is_in_bfloat16(prepared):
        return ["Attack steps in bfloat16, which is faster here; success is judged in float32 (--precision)."]
    if prepared.only_float32:
        failing = ", ".join(prepared.only_float32)
        return [f"Attack steps in float32 throughout: bfloat16, faster here, is not for {failing}."]
    return []


def _models_note(prepared: PreparedRun) -> list[str]:
    """Which folder the weights of registered defenses came from: the first of several that has them."""
    homes = dict[str, list[str]]()
    for name, defense in prepared.workplace.defenses.items():
        if defense.card is not None:
            origin = Path(prepared.manifest["defenses"][name]["origin"])
            homes.setdefault(str(origin.parent), []).append(name)
    return [f"Weights from {home}: {', '.join(names)}" for home, names in homes.items()]


def _draws_notes(prepared: PreparedRun) -> list[str]:
    """Of how many forward passes a randomized defense's answer is the mean."""
    return [
        f"{defense.name} is randomized: what is attacked and judged is the mean of "
        f"{defense.draws} forward passes (--draws)."
        for defense in prepared.workplace.defenses.values()
        if defense.draws is not None and defense.draws > 1
    ]


def _grid_notes(written: str) -> list[str]:
    """What was changed about the grid as it was written."""
    if written in ("", CANONICAL):
        return []
    points = parse_grid(written)
    notes = []
    if list(points) != sorted(set(points)):
        notes.append("The radii were not in ascending order, each once: they were sorted.")
    if 0 not in points:
        notes.append("ε = 0 was added: it costs one forward pass.")
    return notes


def run_table(prepared: PreparedRun, report: RunReport) -> TextTable:
    """Clean accuracy, accuracy at the largest ε with its interval, and seconds, per curve."""
    largest = prepared.epsilons[-1]
    rows = []
    for (defense, attack), curve in report.curves.groupby(["defense", "attack"], sort=False):  # pyright: ignore[reportGeneralTypeIssues]
        last = curve.iloc[-1]
        rows.append(
            (
                prepared.titles[str(defense)],
                str(attack),
                f"{100 * curve.iloc[0].robust_accuracy:.1f}",
                f"{100 * last.robust_accuracy:.1f}",
                f"{100 * last.ci_low:.1f} – {100 * last.ci_high:.1f}",
                f"{sum(report.seconds[job] for job in last.job_id.split('+')):.1f}",
            )
        )
    order = list(prepared.titles.values())
    rows.sort(key=lambda row: order.index(row[0]))  # stable: the attacks keep theirs
    at_largest = f"at ε = {prepared.unit.format(largest)}"
    return TextTable(
        f"{prepared.info.title}: accuracy in %, n = {len(prepared.workplace.dataset)}",
        ("defense", "attack", "clean", at_largest, "95 % interval", "seconds"),
        rows,
        numbers=4,
    )


def next_steps(report: RunReport) -> str:
    """Where the results are and what to type next."""
    done = (
        "This run was complete already; nothing was computed."
        if report.was_complete
        else f"Rows and curves are in {report.folder}."
    )
    return f"{done} Figures: robbench plot {shlex.quote(str(report.folder))}"


def training_line(card: ModelCard, models_dir: Path) -> str:
    """What a training made, in one line."""
    mark = f", {card.watch.verdict}" if card.watch and card.watch.collapse else ""
    return (
        f"{card.defense} on {card.dataset}: clean accuracy {percent(card.clean_accuracy)} on "
        f"{card.test_samples} test samples{mark}, {card.seconds:.0f} s, in {models_dir / card.dataset}"
    )


def training_table(cards: Sequence[ModelCard]) -> TextTable:
    """What several trainings made and what they cost: accuracies in %, passes of one image each."""
    rows = []
    for card in cards:
        watch = card.watch
        last = watch.looks[-1] if watch else None
        rows.append(
            (
                card.defense,
                watch.verdict if watch else "not watched",
                str(card.seed),
                f"{100 * card.clean_accuracy:.1f}",
                f"{100 * last.one_step:.1f}" if last else "",
                f"{100 * last.pgd:.1f}" if last else "",
                f"{card.seconds:.1f}",
                _thousands(card.n_forward),
                _thousands(card.n_backward),
                f"{card.peak_memory / 2**20:.0f}" if card.peak_memory else "",
            )
        )
    columns = (
        "defense",
        "watch",
        "seed",
        "clean",
        "one step",
        "PGD",
        "seconds",
        "forward",
        "backward",
        "MiB",
    )
    title = (
        f"{cards[0].dataset}: accuracy in %, clean on the test split, attacked on held-out training images"
    )
    return TextTable(title, columns, rows, numbers=8)


def _thousands(passes: int) -> str:
    return f"{passes / 1000:,.0f} k"
