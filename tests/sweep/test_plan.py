from dataclasses import dataclass

import pytest
from torch import nn

from robbench.attacks import BudgetAttack
from robbench.attacks.catalog import ResolvedAttack
from robbench.attacks.gradient import PGD
from robbench.attacks.noise import Noise
from robbench.attacks.registration import attacks
from robbench.datasets import datasets
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense
from robbench.preparation import resolve_attacks
from robbench.spec import SweepSpec
from robbench.sweep import plan
from robbench.sweep.plan import SweepTerms, make_plan


class _Library(BudgetAttack):
    algorithm, backend, paper = "pgd", "foolbox", "made up"

    def perturb(self, problem):
        return problem.ball.centers


def test_a_run_begun_by_an_older_search_is_another_run(shell, tmp_path, monkeypatch):
    def run(sweep):
        asked = ("--attacks", "pgd2", "--eps-grid", "0.1", "--samples", 4, "--quiet", "--sweep", sweep)
        return shell("run", "--defense", "natural", *asked, "--out", tmp_path / sweep)

    assert [run(sweep).code for sweep in ("search", "survivors")] == [0, 0]
    now = plan.SEARCH_VERSION
    monkeypatch.setattr(plan, "SEARCH_VERSION", now + 1)
    typed = run("search")
    assert typed.code == 2
    assert f"holds another run: search version: {now} -> {now + 1}" in typed.err
    assert run("survivors").code == 0


def _job_id(strategy, attack=None, code=""):
    attack = attack or PGD(steps=10)
    terms = SweepTerms("digits", "f", (0.0, 0.1), "linf", "top1", strategy, "float32", 0)
    loaded = LoadedDefense("mine", "Mine", Defense(nn.Identity()), "0" * 64, None, "mine")
    resolved = ResolvedAttack(attack, "exact", "", "pgd10", code)
    (job,) = make_plan([loaded], [resolved], terms, {}).jobs
    return job.id


@pytest.mark.parametrize("strategy", ["auto", "search", "search2", "search3"])
def test_a_job_begun_by_an_older_search_is_another_job(strategy, monkeypatch):
    now = _job_id(strategy)
    monkeypatch.setattr(plan, "SEARCH_VERSION", plan.SEARCH_VERSION + 1)
    assert _job_id(strategy) != now


@pytest.mark.parametrize(
    ("strategy", "job_id"), [("survivors", "a70d2d97856e5e92"), ("independent", "660fa482e0417699")]
)
def test_what_is_stored_of_the_other_strategies_stays_valid(strategy, job_id, monkeypatch):
    assert _job_id(strategy) == job_id  # as it was before searches had a version
    monkeypatch.setattr(plan, "SEARCH_VERSION", plan.SEARCH_VERSION + 1)
    assert _job_id(strategy) == job_id


@dataclass(frozen=True)
class _Foreign(BudgetAttack):
    algorithm, backend, paper = "made", "foolbox", "made up"
    norms = ("linf",)

    def perturb(self, problem):
        return problem.ball.centers


def test_an_attack_of_another_package_is_told_by_its_code(monkeypatch):
    attacks.names()
    monkeypatch.setitem(attacks._members, "made@foolbox", _Foreign)
    spec = SweepSpec(("natural",), ("pgd2", "made"))
    own, made = resolve_attacks(spec, datasets.get("digits"), 10)
    assert own.code == ""
    assert len(made.code) == 64
    assert _job_id("survivors", made.attack, made.code) != _job_id("survivors", made.attack)


def test_what_an_earlier_revision_of_an_attack_began_is_another_run(shell, tmp_path, monkeypatch):
    asked = ("--attacks", "noise", "--eps-grid", "0.1", "--samples", 4, "--quiet", "--out", tmp_path / "run")
    first = shell("run", "--defense", "natural", *asked)
    monkeypatch.setattr(Noise, "revision", 2)
    again = shell("run", "--defense", "natural", *asked)
    assert (first.code, again.code) == (0, 2)
    assert "holds another run: code of noise: (absent) -> revision 2" in again.err


def test_a_library_is_searched_as_before(monkeypatch):
    attack = _Library()
    now = _job_id("auto", attack)
    monkeypatch.setattr(plan, "SEARCH_VERSION", plan.SEARCH_VERSION + 1)
    assert _job_id("auto", attack) == now
