"""What a run says on its way."""

from torch import nn

from robbench.attacks.catalog import ResolvedAttack
from robbench.attacks.gradient import PGD
from robbench.console import RunProgress, Terminal
from robbench.defenses import Defense
from robbench.defenses.loaded import LoadedDefense
from robbench.executors import JobRecord
from robbench.sweep.plan import SweepTerms, make_plan


def _finished(control):
    loaded = LoadedDefense("mine", "Mine", Defense(nn.Identity()), "0" * 64, None, "mine")
    terms = SweepTerms("digits", "f", (0.0, 0.1), "linf", "top1", "auto", "float32", 0)
    (job,) = make_plan([loaded], [ResolvedAttack(PGD(steps=10), "exact", "", "pgd10")], terms, {}).jobs
    RunProgress(Terminal(), None, 1).job_finished(job, JobRecord(1.0, 1, 1, 0.9, 0.5, 600, control))


def test_that_no_search_was_good_enough_is_said(capsys):
    _finished({"samples": 256, "disagreement": 3.125, "fell_back": True})
    said = " ".join(capsys.readouterr().err.split())
    assert "no search was as thorough as survivors on a control of 256 samples (off by 3.1 points)" in said


def test_nothing_is_said_of_a_search_that_was_or_of_none(capsys):
    for control in ({}, {"samples": 256, "disagreement": 0.0, "fell_back": False}):
        _finished(control)
    assert "thorough" not in capsys.readouterr().err
