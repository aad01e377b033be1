"""Running one sweep in memory, for the tests of the sweep."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from robbench.attacks import Attack, IterativeAttack
from robbench.classifier import frozen
from robbench.datasets import ArrayDataset
from robbench.sweep.engine import IterativeSweep
from robbench.sweep.feed import open_window
from robbench.sweep.gradients import Gradients
from robbench.sweep.outcomes import Findings
from robbench.sweep.passes import PassSize
from robbench.sweep.rounds import LibrarySweep
from robbench.sweep.strategies import get_strategy
from robbench.sweep.target import Target, View, make_target
from robbench.threat import get_norm

GRID = tuple(round(0.01 * i, 10) for i in range(13))


class Swept(NamedTuple):
    """What a sweep found, and what it cost."""

    broken: np.ndarray
    distance: np.ndarray
    n_forward: np.ndarray
    n_backward: np.ndarray
    target: Target


def sweep(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    attack: Attack,
    *,
    grid: tuple[float, ...] = GRID,
    strategy: str = "survivors",
    batch_size: int = 64,
    window: int = 10_000,
    norm: str = "linf",
    view: nn.Module | None = None,
    order: Tensor | None = None,
    precision: str = "float32",
    fills: bool = False,
) -> Swept:
    classes = int(labels.max()) + 1
    dataset = ArrayDataset("oracle", images.numpy(), labels.numpy(), classes, "made up", scale=1)
    differentiated = View(view or model, view is None)
    target = make_target(
        model,
        differentiated,
        "top1",
        get_norm(norm),
        classes,
        torch.device("cpu"),
        PassSize(batch_size, fills),
    )
    order = torch.arange(len(dataset)) if order is None else order
    chosen = get_strategy(strategy)
    sweeper = (
        IterativeSweep(Gradients(attack, target, precision), grid, chosen, batch_size)
        if isinstance(attack, IterativeAttack)
        else LibrarySweep(attack, target, grid, chosen, 0)  # pyright: ignore[reportArgumentType]
    )
    parts = []
    with frozen(model, view or model):
        for indices in order.split(window):
            part = open_window(dataset.samples(indices), indices, target, "key")
            findings = Findings.of(part, len(grid), target.exact_passes)
            wrong = (~part.correct).nonzero().flatten()
            decided = torch.cat([wrong, *sweeper.sweep(part, findings)])
            assert sorted(decided.tolist()) == list(range(len(part.index))), "every sample is decided once"
            parts.append(findings)
    back = order.argsort().numpy()

    def column(name: str) -> np.ndarray:
        return torch.cat([getattr(part, name) for part in parts]).numpy()[back]

    return Swept(column("broken"), column("distance"), column("n_forward"), column("n_backward"), target)
