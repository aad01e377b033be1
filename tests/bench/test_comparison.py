import math

import pytest

from robbench.bench.comparison import DefenseBench, compare_engines, comparison_table
from robbench.bench.engines import Sweep
from robbench.bench.limit import Limit
from robbench.bench.passes import Passes
from robbench.bench.report import comparison_text, notes
from tests.bench.oracle_bench import COUNT, oracle_bench


def _sweeps(label, seconds, cost, accuracy):
    grid = oracle_bench().epsilons
    return [
        Sweep(s, s / 2, Passes(cost, cost), dict(zip(grid, accuracy, strict=False)), label) for s in seconds
    ]


def _made_up(bench, libraries):
    ours = {"robbench auto": _sweeps("robbench auto: search", [1, 3, 2], 500, [1.0, 0.9, 0.6])}
    return DefenseBench("line", 40, 10, 25, Limit(1000.0, 64, False), 64, 16, libraries | ours)


LIBRARIES = {
    "torchattacks": _sweeps("torchattacks", [30, 10, 20], 5000, [1.0, 0.9, 0.5]),
    "foolbox": _sweeps("foolbox", [40, 50, 60], 6000, [1.0, 0.85, 0.7]),
}


def test_the_table_follows_from_the_sweeps():
    bench = oracle_bench(libraries=("torchattacks", "foolbox"))
    table = comparison_table([_made_up(bench, LIBRARIES)], bench).set_index("engine")
    assert table["seconds"].to_dict() == {"torchattacks": 20, "foolbox": 50, "robbench auto: search": 2}
    assert table["speed_up"].to_dict() == {"torchattacks": 1, "foolbox": 0.4, "robbench auto: search": 10}
    ours = table.loc["robbench auto: search"].to_dict()
    assert ours["single_runs"] == pytest.approx(500 / (10 * (25 + 1 / 3)))
    assert (ours["seconds"], ours["work_seconds"]) == (2, 1)
    assert ours["passes_per_second"] == 500  # of work
    assert ours["share_of_limit"] == 0.5
    assert ours["work_speed_up"] == 10
    assert ours["points_above_best_library"] == pytest.approx(10)  # 0.6 against torchattacks' 0.5
    # The libraries are compared with each other: 0.5 against 0.7, and 0.85 against 0.9 the other way round.
    assert table["points_above_best_library"].tolist()[:2] == pytest.approx([5, 20])


def test_without_libraries_and_without_correct_samples_numbers_are_missing_not_wrong():
    bench = oracle_bench(libraries=("none",))
    result = _made_up(bench, {})
    table = comparison_table([result], bench)
    assert math.isnan(table["speed_up"].tolist()[0])
    assert math.isnan(table["points_above_best_library"].tolist()[0])
    none_correct = DefenseBench("line", 40, 0, 25, result.limit, 64, 16, result.sweeps)
    assert math.isnan(comparison_table([none_correct], bench)["single_runs"].tolist()[0])
    assert comparison_text(table, bench).rows[0][-1] == ""


def test_all_engines_are_measured_in_turn():
    bench = oracle_bench(sweeps=("search", "survivors"), loop_points=2)
    said = []
    result = compare_engines(bench, "line", said.append)
    order = ["torchattacks", "foolbox", "art", "robbench search", "robbench survivors"]
    assert [line.split(": ")[1].rsplit(" ", 2)[0] for line in said[1:]] == order * 2
    assert {name: len(sweeps) for name, sweeps in result.sweeps.items()} == dict.fromkeys(order, 2)
    assert result.correct == COUNT
    table = comparison_table([result], bench)
    assert max(table["points_above_best_library"].dropna().tolist()) < 1e-9
    assert any("measured at 2 of 6 ε" in line for line in notes(table, bench))


def test_several_defenses_are_summed_up_by_their_geometric_mean():
    bench = oracle_bench(libraries=("torchattacks",))
    fast = _made_up(bench, {"torchattacks": LIBRARIES["torchattacks"]})
    slow = DefenseBench(
        "other",
        40,
        10,
        25,
        fast.limit,
        64,
        16,
        fast.sweeps | {"torchattacks": _sweeps("torchattacks", [5], 1, [1, 1])},
    )
    table = comparison_table([fast, slow], bench)
    assert "robbench auto over 2 defenses: 5.00 × the fastest library (geometric mean)." in notes(
        table, bench
    )


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (6,)), (2, (3, 6)), (4, (1, 3, 4, 6)), (6, (1, 2, 3, 4, 5, 6))]
)
def test_loop_points_are_spread_and_hold_the_largest(count, expected):
    bench = oracle_bench(loop_points=count)
    assert bench.loop_points() == tuple(bench.epsilons[i] for i in expected)
