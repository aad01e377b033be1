"""A new defense and a new attack are one new file each, and no edit elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import robbench

DEFENSE = '''
"""Blur: the mean of each image's neighbourhoods, in front of the network."""

from dataclasses import dataclass

from robbench.defenses import Defense, DefenseRecipe, register_defense


@register_defense("blur")
@dataclass(frozen=True)
class Blur(DefenseRecipe):
    """A network that sees blurred images."""

    title = "Blur"
    paper = "made up for this test"
    size: int

    @classmethod
    def for_dataset(cls, info):
        return cls(3)

    def wrap(self, network):
        from torch import nn

        return Defense(nn.Sequential(nn.AvgPool2d(self.size, 1, self.size // 2), network))

    def plan(self, info):
        return info.training

    def loss(self, defense, batch):
        return batch.cross_entropy(defense.model(batch.images))
'''

ATTACK = '''
"""Darken: the one image of the ball that is darkest."""

from dataclasses import dataclass

from robbench.attacks import BudgetAttack, register_attack


@register_attack
@dataclass(frozen=True)
class Darken(BudgetAttack):
    """Takes ε from every pixel, times a share."""

    algorithm = "darken"
    paper = "made up for this test"
    uses_gradient = False
    per_sample_epsilon = True
    share: float = 1.0

    def perturb(self, problem):
        return problem.ball.centers - self.share * problem.ball.epsilon.view(-1, 1, 1, 1)
'''


def test_one_new_file_each(tmp_path):
    package = Path(robbench.__file__).parent
    shutil.copytree(package, tmp_path / "robbench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "robbench" / "defenses" / "blur.py").write_text(DEFENSE)
    (tmp_path / "robbench" / "attacks" / "darken.py").write_text(ATTACK)

    def robbench_there(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "robbench", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "A network that sees blurred images." in robbench_there("list", "defenses")
    assert "darken" in robbench_there("list", "attacks")
    robbench_there("train", "--defense", "blur", "--set", "iterations=20", "--set", "size=1")
    table = robbench_there(
        "run",
        "--defense",
        "blur",
        "--attacks",
        "darken,darken:share=0.5,pgd5",
        "--samples",
        "30",
        "--eps-grid",
        "0,0.2",
    )
    assert "darken:share=0.5" in table
    robbench_there("plot", "results")
