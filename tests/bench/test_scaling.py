import pytest

from robbench.bench.scaling import POINTS, measure_scaling
from robbench.figures.rendering import render
from robbench.figures.scaling import draw_scaling
from tests.bench.oracle_bench import oracle_bench


def test_independent_costs_a_run_for_every_epsilon():
    bench = oracle_bench(steps=8, sweeps=("independent",), repeats=1)
    table = measure_scaling(bench, lambda _: None)
    assert table[table["varied"] == "points"]["points"].tolist() == list(POINTS)
    assert table[table["varied"] == "samples"]["samples"].tolist() == [5, 10, 20, 40]
    assert table[table["varied"] == "steps"]["steps"].tolist() == [1, 2, 4, 8]
    # An attempt's S moves are S + 1 passes in this engine, which tests and differentiates in one; and a clean
    # pass. What breaks is judged once more; what repeats itself ends early.
    for row in table.to_dict("records"):
        most = (row["points"] - 1) * (row["steps"] + 1) * row["samples"]
        assert 0.2 * most < row["n_backward"] <= most
    by_points = _by_points(table, "n_backward")
    assert by_points[49] == pytest.approx(8 * by_points[7], rel=0.2)


def test_a_search_hardly_grows_with_the_grid_and_the_figure_shows_all(tmp_path):
    bench = oracle_bench(steps=8, sweeps=("search",), repeats=1)
    table = measure_scaling(bench, lambda _: None)
    cost = _by_points(table, "cost")
    assert cost[49] < 3 * cost[13]
    figure = draw_scaling(table)
    assert len(figure.axes) == 6
    shown = figure.axes[0].lines[0]
    assert shown.get_xdata().tolist() == list(POINTS)  # pyright: ignore[reportAttributeAccessIssue]
    assert shown.get_ydata().tolist() == list(_by_points(table, "single_runs").values())  # pyright: ignore[reportAttributeAccessIssue]
    assert figure.axes[0].lines[1].get_ydata().tolist() == [size - 1 for size in POINTS]  # pyright: ignore[reportAttributeAccessIssue]
    render(figure, tmp_path / "scaling.png", "png")
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


def _by_points(table, column):
    rows = table.loc[table["varied"] == "points"]
    return dict(zip(rows["points"].tolist(), rows[column].tolist(), strict=True))
