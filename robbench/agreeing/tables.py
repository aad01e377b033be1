"""An agreement as tables that a person reads."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from robbench.agreeing.conformance import FAILED, MISSING, PRESENT, Conformance
from robbench.agreeing.contract import Agreement, rows_of
from robbench.agreeing.judging import PARTS
from robbench.analysis.verdicts import p_number, signed
from robbench.epsilon import EpsilonUnit
from robbench.figures.titles import printable
from robbench.text_table import TextTable
from robbench.wording import percent

AS_RUN_TITLE = "robbench run"


def agreement_tables(agreement: Agreement) -> list[TextTable]:
    """Per defense and attack: curves, pairs and causes; then the way from robbench to each library."""
    tables = []
    for defense, attack in agreement.subjects():
        curves, pairs, causes = (
            rows_of(frame, defense, attack) for frame in (agreement.curves, agreement.pairs, agreement.causes)
        )
        subject = f"{agreement.defenses[defense]} under {printable(attack)}"
        tables += [
            _curves(curves, f"{subject}: accuracy in %, {agreement.samples} samples", agreement.unit),
            _pairs(pairs, f"{subject}: who breaks which cells, last iterate, float32", agreement.unit),
            _causes(causes, f"{subject}: what each known cause changes", agreement.unit),
        ]
    if len(agreement.ladder):
        tables.append(_ladder(agreement))
    return [*tables, conformance_table(agreement.conformance)]


def conformance_table(lines: Iterable[Conformance]) -> TextTable:
    """The conformance list; a guard that does not hold is written in capitals."""
    rows = [
        (str(line.number), printable(line.package), line.pitfall, _state(line), _guard(line))
        for line in lines
    ]
    columns = ("", "library", "pitfall", "state of the installed version", "robbench's guard")
    return TextTable("Conformance: known pitfalls of the attack libraries", columns, rows)


def _state(line: Conformance) -> str:
    if line.state == MISSING:
        return f"{line.package} is not installed"
    if line.state == FAILED:
        return f"could not be checked in {line.version}: {printable(line.seen, 80)}"
    word = "present" if line.state == PRESENT else "no longer"
    return f"{word} in {line.version}: {printable(line.seen, 80)}"


def _guard(line: Conformance) -> str:
    if line.guarded is None:
        return ""
    return f"{'holds' if line.guarded else 'DOES NOT HOLD'}: {line.guard}"


def _curves(curves: pd.DataFrame, title: str, unit: EpsilonUnit) -> TextTable:
    wide = curves.pivot(index="epsilon", columns="tool", values="robust_accuracy")
    tools = list(dict.fromkeys(curves["tool"]))
    backends = [tool for tool in tools if tool != AS_RUN_TITLE]
    rows = []
    for epsilon, shares in wide.iterrows():
        spread = 100 * (shares[backends].max() - shares[backends].min())
        rows.append(
            (
                unit.format(float(epsilon)),  # pyright: ignore[reportArgumentType]
                *(f"{100 * shares[tool]:.1f}" for tool in tools),
                f"{spread:.1f}",
            )
        )
    return TextTable(title, ("ε", *tools, "largest deviation"), rows, numbers=len(tools) + 2)


def _pairs(pairs: pd.DataFrame, title: str, unit: EpsilonUnit) -> TextTable:
    rows = [
        (
            f"{pair['first']} – {pair['second']}",
            f"{pair['verdict']}: {pair['why']}" if pair["verdict"] != "equal" else pair["why"],
            percent(pair["equal_share"]),
            str(pair["only_first_broken"]),
            str(pair["only_second_broken"]),
            signed(pair["difference"]),
            unit.format(pair["epsilon"]) if pair["difference"] else "",
            f"{signed(pair['ci_low'])} to {signed(pair['ci_high'])}",
            p_number(pair["p_holm"]),
            p_number(pair["p_seeds_holm"]),
        )
        for pair in pairs.to_dict("records")
    ]
    columns = (
        "pair",
        "explained by",
        "equal cells",
        "only 1st breaks",
        "only 2nd breaks",
        "most points",
        "at ε",
        "95 % interval",
        "p (McNemar)",
        "p (seeds)",
    )
    return TextTable(title, columns, rows, numbers=8)


def _causes(causes: pd.DataFrame, title: str, unit: EpsilonUnit) -> TextTable:
    rows = [
        (
            row["cause"],
            row["backend"],
            f"{row['changed']} of {row['cells']}",
            signed(row["points"]),
            unit.format(row["epsilon"]) if row["points"] else "",
        )
        for row in causes.to_dict("records")
    ]
    return TextTable(title, ("cause", "measured on", "cells changed", "most points", "at ε"), rows, numbers=3)


def _ladder(agreement: Agreement) -> TextTable:
    rows = [
        (agreement.defenses[row["defense"]], *_step(row, agreement.unit))
        for row in agreement.ladder.to_dict("records")
    ]
    columns = (
        "defense",
        "attack",
        "library",
        "the rest is",
        "at ε",
        "robbench run",
        "library",
        "difference",
        *(f"of it {part}" for part in PARTS),
    )
    title = "From what robbench run reports to each library, where they differ most, in points"
    return TextTable(title, columns, rows, numbers=4 + len(PARTS))


def _step(row: dict[str, Any], unit: EpsilonUnit) -> tuple[str, ...]:
    return (
        printable(row["attack"]),
        row["library"],
        row["rest_is"],
        unit.format(row["epsilon"]) if row["difference"] else "",
        f"{100 * row['run_accuracy']:.1f}",
        f"{100 * row['library_accuracy']:.1f}",
        signed(row["difference"]),
        *(signed(row[part]) for part in PARTS),
    )
