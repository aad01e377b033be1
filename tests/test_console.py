"""What a run says on its way."""

from torch import nn

from robbench.attacks.catalog import ResolvedAttack
from robbench.attacks.gradient import PGD
from robbench.console import RunProgress, Terminal
from robbench.defenses import Defense
from robbench.defenses.loaded import LoadedDefense
from robbench.executors import JobRecord
from robbench.sweep.plan import SweepTerms, make_plan
from robbench.text_table import TextTable


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


def _shown(columns, rows, width, capsys):
    terminal = Terminal()
    terminal._out.width = width
    terminal.show(TextTable("Table", columns, rows))
    return capsys.readouterr().out


ATTACKS = (
    ("name", "what it is", "losses"),
    [("autoattack<N>@pyautoattack", "APGD and Square in turn", "ce/dlr")],
)


def test_a_name_that_is_typed_stands_whole_where_other_words_can_wrap(capsys):
    shown = _shown(*ATTACKS, 50, capsys)
    assert "autoattack<N>@pyautoattack" in shown
    assert max(map(len, shown.splitlines())) <= 50


def test_a_table_that_just_fits_without_its_padding_breaks_no_word(capsys):
    columns = ("candidate", "attack", "difference", "interval")
    shown = _shown(columns, [("natural", "worst-of", "+1.0", "−1.0 to +3.0")], 41, capsys)
    assert all(word in shown for word in (*columns, "natural", "worst-of"))


def test_where_nothing_else_helps_the_longest_word_is_broken(capsys):
    shown = _shown(*ATTACKS, 30, capsys)
    assert all(word in shown for word in ("name", "losses", "ce/dlr", "Square"))
    assert max(map(len, shown.splitlines())) <= 30
    assert _shown(*ATTACKS, 5, capsys)
