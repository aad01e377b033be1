"""Short trainings on the digits: adversarial training pays, as far as seconds of it can show."""

from pathlib import Path

import pytest
import torch

import robbench
from robbench.datasets import load_dataset
from robbench.defenses.loading import load_defense
from robbench.training import TrainingRequest, train

EPSILON = 0.2
PLAN = {"iterations": 120, "batch_size": 50, "learning_rate": 3e-3}
OPTIONS = {
    "natural": {},
    "fast-at": {"epsilon": EPSILON},
    "backward-smoothing": {"epsilon": EPSILON},
    "pgd-at": {"epsilon": EPSILON, "steps": 5, "step_size": 0.1},
    "trades": {"epsilon": EPSILON, "steps": 5, "step_size": 0.1},
}


def robust_accuracy(name: str, folder: Path) -> tuple[float, float, float]:
    """Robust accuracy under PGD-20 after a short training, with its 95 % interval."""
    (info, training_split), (_, test_split) = (
        load_dataset("digits", None, split) for split in ("train", "test")
    )
    train(
        TrainingRequest(name, info, training_split, test_split, OPTIONS[name], plan=PLAN, models_dir=folder)
    )
    model = load_defense(name, info, 10, info.shape, folder).defense.model
    samples = test_split.samples(torch.arange(len(test_split)))
    curve = robbench.evaluate(
        model, data=(samples.images, samples.labels), attacks=["pgd20"], eps_grid=[EPSILON]
    )
    at_radius = curve[curve["epsilon"] == EPSILON].iloc[0]
    return at_radius["ci_low"], at_radius["robust_accuracy"], at_radius["ci_high"]


@pytest.fixture(scope="module")
def undefended(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float, float]:
    return robust_accuracy("natural", tmp_path_factory.mktemp("natural"))


@pytest.mark.parametrize("name", ["fast-at", "backward-smoothing", "pgd-at", "trades"])
def test_ends_more_robust_than_natural_training_by_a_clear_margin(name, undefended, tmp_path):
    low, accuracy, _ = robust_accuracy(name, tmp_path)
    assert low > undefended[2]
    assert accuracy > undefended[1] + 0.2
