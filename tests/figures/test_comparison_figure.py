from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from robbench.figures.comparison import draw_comparison
from robbench.figures.rendering import render

TITLES = {"pgd-at": "PGD-AT", "nsq": "NSQ (collapsed)", "sq": "SQ"}


def named(names: list[str]) -> dict[str, str]:
    """Defenses whose runs call them by their names."""
    return {name: name for name in names}


def points(candidates: list[str], attacks: list[str]) -> pd.DataFrame:
    grid = np.linspace(0, 0.3, 7)
    tables = [
        pd.DataFrame(
            {"candidate": name, "attack": attack, "epsilon": grid, "difference": 30 * grid * (i + 1)}
        ).assign(
            ci_low=lambda frame: frame["difference"] - 5,
            ci_high=lambda frame: frame["difference"] + 5,
        )
        for i, name in enumerate(candidates)
        for attack in attacks
    ]
    return pd.concat(tables, ignore_index=True)


def test_a_panel_per_attack_a_line_per_candidate_and_zero() -> None:
    table = points(["nsq", "sq"], ["pgd20", "bpda20", "worst-of"])
    figure = draw_comparison(table, "Digits, L∞", "pgd-at", TITLES, "L∞")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "PGD, 20 steps",
        "BPDA, 20 steps",
        "Worst of the shared attacks",  # other candidates may share others with the baseline
    ]
    for axes in figure.axes:
        zero, first, second = axes.get_lines()
        assert np.asarray(zero.get_ydata()).tolist() == [0, 0]
        assert np.asarray(first.get_ydata()).tolist() == table["difference"][:7].tolist()
        assert np.asarray(second.get_ydata()).tolist() == pytest.approx(
            (60 * np.linspace(0, 0.3, 7)).tolist()
        )
        low, high = axes.get_ylim()
        assert low < min(table["ci_low"])
        assert high > max(table["ci_high"])
        assert low < 0 < high
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["NSQ (collapsed)", "SQ"]


def test_candidates_look_as_in_the_curves_and_names_are_text(tmp_path: Path) -> None:
    hostile = ["<script>", "$x$", "a|b", "../../x", "nsq"]
    figure = draw_comparison(
        points(hostile, ["pgd20", "$\\frac"]), "$", "natural", named([*hostile, "natural"]), "L∞"
    )
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(texts) == sorted(hostile)
    render(figure, tmp_path / "figure.svg", "svg")
    assert "<script>" not in (tmp_path / "figure.svg").read_text()


@pytest.mark.parametrize("attacks", [["pgd20"], ["pgd20", "bpda20", "fgsm"]])
def test_names_of_any_length_are_seen_whole_in_the_legend(attacks: list[str]) -> None:
    names = [f"variants.quantized_network_with_{word}" for word in ("noise", "mixup", "cutout", "neither")]
    titles = named([*names, "natural"])
    figure = draw_comparison(points(names, attacks), "Digits", "natural", titles, "L∞")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert legend.get_window_extent().x0 >= 0
    assert legend.get_window_extent().x1 <= figure.bbox.x1


def test_one_radius_and_many_candidates(tmp_path: Path) -> None:
    table = points([f"defense {i}" for i in range(20)], ["pgd20"])
    titles = named([*table["candidate"], "natural"])
    figure = draw_comparison(table.loc[table["epsilon"] == 0], "Digits", "natural", titles, "L∞")
    render(figure, tmp_path / "figure.png", "png")
    assert len(figure.legends[0].get_texts()) == 20
