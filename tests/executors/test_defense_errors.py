"""What a defense raises under attack is told with its place; a fault of robbench keeps its traceback."""

import inspect

import pytest
import torch
from torch import nn

from robbench.datasets import from_arrays
from robbench.datasets.custom import custom_info
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense, state_hash
from robbench.errors import UserError
from robbench.executors import MemorySink, SilentObserver, run_locally
from robbench.executors.local import Workplace
from robbench.preparation import assemble, resolve_attacks
from robbench.spec import SweepSpec
from tests.oracles import linear_oracle

ATTACKS = ("pgd4", "pgd4@torchattacks", "noise")


class Picky(nn.Module):
    """Works on the images that it knows, and raises for any other."""

    def __init__(self, model: nn.Module, known: torch.Tensor) -> None:
        super().__init__()
        self.model, self.known = model, known

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if (torch.cdist(images.flatten(1), self.known.flatten(1)).amin(1) > 1e-3).any():
            raise LookupError("never seen")
        return self.model(images)


def _run(model: nn.Module, attack: str, images: torch.Tensor, labels: torch.Tensor) -> None:
    defense = Defense(model)
    loaded = LoadedDefense("mine", "Mine", defense, state_hash(defense), None, "made up")
    dataset = from_arrays(images, labels)
    info = custom_info(dataset)
    spec = SweepSpec(("mine",), (attack,), "custom", "0,0.2")
    attacks = resolve_attacks(spec, info, dataset.classes)
    workplace = Workplace(dataset, {"mine": loaded}, torch.device("cpu"), 32)
    run_locally(assemble(spec, info, workplace, attacks, "").plan, workplace, MemorySink(), SilentObserver())


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_its_forward_pass_raises_is_told_with_the_place(attack):
    model, images, labels = linear_oracle(count=20)
    with pytest.raises(UserError, match=r"mine raised LookupError under .*: never seen") as caught:
        _run(Picky(model, images), attack, images, labels)
    lines, first = inspect.getsourcelines(Picky)
    line = first + next(number for number, text in enumerate(lines) if "raise LookupError" in text)
    assert f"{__file__}:{line}" in caught.value.message
    assert attack in caught.value.message
    assert isinstance(caught.value.__cause__, LookupError)


def test_what_torch_alone_raises_keeps_its_traceback():
    _, images, labels = linear_oracle(count=20)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        _run(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), "pgd4", images, labels)


def test_what_robbench_raises_keeps_its_traceback(monkeypatch):
    model, images, labels = linear_oracle(count=20)

    def fail(*_: object) -> None:
        raise LookupError("a fault of robbench")

    monkeypatch.setattr("robbench.sweep.claims.Claims.settle", fail)
    with pytest.raises(LookupError, match="a fault of robbench"):
        _run(model, "pgd4", images, labels)
