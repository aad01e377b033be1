"""What a training and an evaluation cost, as the run's ``run.json`` has it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What a curve cost; None where nobody wrote it down.

    Attributes:
        training_seconds: Training the defense.
        passes: Forward and backward passes of one sample each, over all samples.
        seconds: The attack's time.
    """

    training_seconds: float | None = None
    passes: float | None = None
    seconds: float | None = None


def cost_of(manifest: dict[str, Any], defense: str, jobs: Iterable[str]) -> Cost:
    """The cost of one curve.

    Args:
        manifest: The run's.
        defense: The defense's name.
        jobs: The computations behind the curve.
    """
    records = [manifest["jobs"].get(job, {}) for job in jobs]
    return Cost(
        _number(_entry(_entry(manifest, "defenses"), defense).get("training_seconds")),
        _sum([_number(record.get(key)) for record in records for key in ("n_forward", "n_backward")]),
        _sum([_number(record.get("seconds")) for record in records]),
    )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The cost of several curves of one defense, which was trained once; each computation given once."""
    parts = list(costs)
    return Cost(
        next((part.training_seconds for part in parts if part.training_seconds is not None), None),
        _sum([part.passes for part in parts]),
        _sum([part.seconds for part in parts]),
    )


def _sum(numbers: list[float | None]) -> float | None:
    """The sum, if every part is known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if numbers and len(known) == len(numbers) else None


def _entry(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    entry = manifest.get(name)
    return entry if isinstance(entry, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
