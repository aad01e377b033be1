"""A benchmark whose answer is known: a linear model, in memory."""

import torch
from torch import nn

from robbench.bench.request import BenchRequest, PreparedBench
from robbench.datasets.custom import custom_info, from_arrays
from robbench.defenses import Defense
from robbench.defenses.loaded import LoadedDefense
from robbench.executors.local import Workplace
from robbench.preparation import assemble, resolve_attacks
from robbench.spec import SweepSpec
from tests.oracles import critical_epsilon, linear_oracle

STEPS, COUNT = 20, 40
GRID = "0,0.01,0.02,0.04,0.06,0.08,0.12"


def oracle_bench(model: nn.Module | None = None, steps: int = STEPS, **request: object) -> PreparedBench:
    """A benchmark of :func:`tests.oracles.linear_oracle`, or of another model on its images."""
    linear, images, labels = linear_oracle(count=COUNT)
    dataset = from_arrays(images, labels)
    spec = SweepSpec(("line",), (f"pgd{steps}",), "custom", GRID)
    loaded = LoadedDefense("line", "line", Defense(model or linear), "00", None, "made up")
    workplace = Workplace(dataset, {"line": loaded}, torch.device("cpu"), 16)
    info = custom_info(dataset)
    attacks = resolve_attacks(spec, info, dataset.classes)
    prepared = assemble(spec, info, workplace, attacks, "robbench bench")
    asked = BenchRequest(spec, **{"repeats": 2, **request})
    return PreparedBench(
        asked,
        info,
        workplace,
        attacks[0],
        attacks[0].attack,  # pyright: ignore[reportArgumentType]
        prepared.epsilons,
        prepared.plan.jobs[0].terms.precision,
        prepared.manifest,
        None,
    )


def exact_accuracy(epsilons: tuple[float, ...]) -> dict[float, float]:
    """What a perfect attack leaves of the oracle at each ε."""
    critical = critical_epsilon(*linear_oracle(count=COUNT), "linf")
    assert all((critical - epsilon).abs().min() > 1e-6 for epsilon in epsilons), (
        "no image lies on a grid point"
    )
    return {epsilon: float((critical > epsilon).float().mean()) for epsilon in epsilons}
