"""What a benchmark leaves: tables for the terminal, and files with where the numbers come from."""

import math
import os
from dataclasses import asdict
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import pandas as pd
import torch

from robbench.bench.comparison import DefenseBench
from robbench.bench.passes import FORWARD_SHARE
from robbench.bench.request import PreparedBench, load_average
from robbench.figures.rendering import render
from robbench.figures.scaling import draw_scaling
from robbench.files import write_csv, write_json
from robbench.text_table import TextTable

COST = (
    "cost counts forward-and-backward sample-passes, a forward pass alone as a third of one; a single run is "
    "the same attack at one ε on the samples that are correct unperturbed, its last image tested"
)
_COLUMNS = {
    "seconds": ("seconds", "{:.2f}"),
    "work_seconds": ("of work", "{:.2f}"),
    "n_forward": ("forward", "{:,.0f}"),
    "n_backward": ("backward", "{:,.0f}"),
    "passes_per_second": ("passes/s", "{:,.0f}"),
    "speed_up": ("× fastest library", "{:.2f}"),
    "work_speed_up": ("× by work", "{:.2f}"),
    "single_runs": ("cost in single runs", "{:.2f}"),
    "share_of_limit": ("share of limit", "{:.0%}"),
    "points_above_best_library": ("points above strongest library", "{:+.2f}"),
}
_SCALING_COLUMNS = {
    "points": ("points", "{:.0f}"),
    "samples": ("samples", "{:.0f}"),
    "steps": ("steps", "{:.0f}"),
    "seconds": ("seconds", "{:.2f}"),
    "single_runs": ("cost in single runs", "{:.2f}"),
}


def comparison_text(table: pd.DataFrame, bench: PreparedBench) -> TextTable:
    """The comparison for the terminal."""
    title = f"{bench.info.title}: {bench.attack.label} at {len(bench.epsilons)} ε, n = {table['samples'][0]}"
    return _text(title, table, ("defense", "engine"), _COLUMNS)


def scaling_text(table: pd.DataFrame, bench: PreparedBench) -> TextTable:
    """The scaling table for the terminal."""
    title = f"{bench.info.title}: {bench.attack.label}, as the sweep grows"
    return _text(title, table, ("defense", "engine", "varied"), _SCALING_COLUMNS)


def notes(table: pd.DataFrame, bench: PreparedBench) -> list[str]:
    """What a reader of the comparison must know, in sentences."""
    request = bench.request
    lines = [f"{COST[0].upper()}{COST[1:]}."]
    if bench.workplace.device.type == "cpu":
        lines.append(
            "Work is processor time, which other programs on the machine do not lengthen; passes/s and the "
            "share of the limit are by it."
        )
    lines += [f"{name} is not installed and left out." for name in request.missing]
    if len(request.present) > 1:
        lines.append(
            "A library is compared with the strongest other one: so many points are random starts alone."
        )
    if request.present and request.loop_points is not None:
        lines.append(
            f"The libraries were measured at {request.loop_points} of {len(bench.epsilons) - 1} ε above "
            "0; their seconds and passes are scaled to all of them, as each ε costs them the same."
        )
    lines += [
        f"{engine} over {len(speeds)} defenses: {geometric_mean(speeds):.2f} × the fastest library "
        "(geometric mean)."
        for engine, speeds in _speeds(table).items()
        if len(speeds) > 1
    ]
    return lines


def write_comparison(
    folder: Path, table: pd.DataFrame, results: list[DefenseBench], bench: PreparedBench
) -> list[Path]:
    """Write ``bench.csv``, one row per defense and engine, and ``bench.json`` with all behind it."""
    paths = [folder / "bench.csv", folder / "bench.json"]
    write_csv(paths[0], table)
    document = _provenance(bench) | {
        "notes": notes(table, bench),
        "engines": _records(table),
        "defenses": {result.defense: _measured(result) for result in results},
    }
    write_json(paths[1], document)
    return paths


def write_scaling(folder: Path, table: pd.DataFrame, bench: PreparedBench) -> list[Path]:
    """Write ``scaling.csv``, ``scaling.json`` and ``scaling.png``."""
    paths = [folder / f"scaling.{ending}" for ending in ("csv", "json", "png")]
    write_csv(paths[0], table)
    write_json(paths[1], _provenance(bench) | {"notes": [COST], "sizes": _records(table)})
    render(draw_scaling(table), paths[2], "png")
    return paths


def _text(
    title: str, table: pd.DataFrame, names: tuple[str, ...], numbers: dict[str, tuple[str, str]]
) -> TextTable:
    rows = [
        (
            *(str(row[name]) for name in names),
            *(
                "" if math.isnan(row[column]) else form.format(row[column])
                for column, (_, form) in numbers.items()
            ),
        )
        for row in table.to_dict("records")
    ]
    return TextTable(title, (*names, *(heading for heading, _ in numbers.values())), rows, len(numbers))


def _speeds(table: pd.DataFrame) -> dict[str, list[float]]:
    """The speed-ups of robbench's strategies, one per defense, where there is a library to compare with."""
    speeds: dict[str, list[float]] = {}
    for row in table.dropna(subset=["speed_up"]).to_dict("records"):
        if row["engine"].startswith("robbench "):
            asked = row["engine"].removeprefix("robbench ").partition(":")[0]
            speeds.setdefault(f"robbench {asked}", []).append(row["speed_up"])
    return speeds


def _provenance(bench: PreparedBench) -> dict[str, Any]:
    taken = ("command", "started", "versions", "git_commit", "device", "platform", "dataset")
    request = bench.request
    weights = {name: loaded.weights_sha256 for name, loaded in bench.workplace.defenses.items()}
    return {
        **{key: bench.manifest[key] for key in taken},
        "weights_sha256": weights,
        "attack": bench.attack.label,
        "epsilons": list(bench.epsilons),
        "precision": bench.precision,
        "repeats": request.repeats,
        "library_points": list(bench.loop_points()) if request.present else [],
        "libraries_missing": list(request.missing),
        "seed": request.spec.seed,
        "forward_share": FORWARD_SHARE,
        "load": {
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
            "average_at_start": bench.load_at_start,
            "average_at_end": load_average(),
        },
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows with null for NaN, which JSON lacks."""
    return [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def _measured(result: DefenseBench) -> dict[str, Any]:
    return {
        "samples": result.samples,
        "correct": result.correct,
        "single_run": asdict(result.single) | {"cost": result.single.cost},
        "bare_network": result.limit._asdict(),
        "loop_batch_size": result.loop_batch_size,
        "own_batch_size": result.own_batch_size,
        "seconds": {name: [sweep.seconds for sweep in sweeps] for name, sweeps in result.sweeps.items()},
        "robust_accuracy": {
            sweeps[0].label: [[epsilon, value] for epsilon, value in sweeps[0].accuracy.items()]
            for sweeps in result.sweeps.values()
        },
    }
