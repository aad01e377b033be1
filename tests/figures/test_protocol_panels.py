"""The paper's figures of curves: rows by protocol, panels by attack, and what is said below."""

import pandas as pd
import pytest

from robbench.errors import UserError
from robbench.figures import figures
from robbench.figures.attack_ladder import draw_ladder
from robbench.figures.protocol_panels import draw_protocols

from .made_up import made_up_curves

PAPER = ["pgd100", "pgd100-cw", "bpda100-substitute", "bpda100-substitute-cw"]
STRONGER = ["pgd100", "pgd100-cw", "bpda100", "bpda100-cw", "bpda100-smooth", "worst-of"]


def both() -> pd.DataFrame:
    names = ["natural", "pgd-at", "sq", "nsq"]
    paper = made_up_curves(names, PAPER, strategy="independent", protocol="paper")
    stronger = made_up_curves(names, STRONGER, protocol="stronger")
    paper["protocol"], stronger["protocol"] = "paper", "stronger"
    return pd.concat([paper, stronger], ignore_index=True)


def test_a_row_for_each_protocol_a_panel_for_each_attack():
    figure = draw_protocols(both(), "A title", ["A remark that is written below."])
    figure.draw_without_rendering()
    assert len(figure.axes) == 4 + 5, "smooth BPDA has no panel"
    texts = [text.get_text() for part in figure.subfigs for text in part.texts]
    assert any("A remark" in text for text in texts)


def test_the_papers_numbers_are_marked():
    figure = draw_protocols(both(), "", [])
    labels = [text.get_text() for part in figure.subfigs for legend in part.legends for text in legend.texts]
    assert "stated in the SQ paper (2019)" in labels


def test_the_figures_are_registered_and_tell_the_protocol_by_the_strategy():
    curves = both().drop(columns="protocol")
    for name in ("fig3", "fig4"):
        assert len(figures.get(name)(curves).axes) == 9


def test_a_row_of_a_users_runs_says_nothing_of_the_bpda_that_he_chose():
    user, paper = figures.get("fig3")(both().drop(columns="protocol")), draw_protocols(both(), "", [])
    headings = [[part.get_suptitle() for part in figure.subfigs[:2]] for figure in (user, paper)]
    assert [["BPDA" in heading for heading in row] for row in headings] == [[False] * 2, [True] * 2]


def test_a_ladder_says_what_was_not_run():
    curves = made_up_curves(["nsq"], ["pgd100"]).assign(kind="pgd")
    figure = draw_ladder(
        curves, {"pgd": "PGD", "worst": "worst"}, ["mnist", "cifar10"], "A title", ["Remark"]
    )
    figure.draw_without_rendering()
    assert len(figure.axes[0].lines) == 1
    assert [text.get_text() for text in figure.axes[1].texts] == ["not run"]


def test_attacks_without_a_panel_are_refused():
    with pytest.raises(UserError, match="PGD and BPDA, and of those nothing was run on mnist"):
        figures.get("fig3")(made_up_curves(["natural"], ["fgsm"]))
