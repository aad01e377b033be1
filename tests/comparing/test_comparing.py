import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from robbench.analysis.worst_of import WORST_OF
from robbench.comparing import Compared, ComparisonRequest, compare
from robbench.comparing.matching import said_together
from robbench.errors import UserError
from robbench.files import read_table, write_table
from tests.comparing.runs import make_run, until

N = 100
STRONG, MIDDLE, WEAK = until([4] * N), until([4] * 60 + [1] * 40), until([1] * N)
EVERY = until([i % 5 for i in range(N)])


def ask(results: Path, baseline: str = "base", **options: object) -> Compared:
    return compare(ComparisonRequest(results, baseline, **options))  # pyright: ignore[reportArgumentType]


def value(compared: Compared, attack: str, epsilon: float, column: str = "difference") -> float:
    """A cell of the only candidate's rows."""
    points = compared.datasets[0].points
    cells = points.loc[(points["attack"] == attack) & (points["epsilon"] == epsilon), column]
    return float(cells.to_numpy()[0])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"masked": ["pgd20"]}, {"pgd20": "masked", "bpda20": "", WORST_OF: ""}),
        ({"base": ["pgd20"]}, {"pgd20": "base", "bpda20": "", WORST_OF: ""}),
        ({"masked": ["pgd20", "bpda20"]}, {"pgd20": "masked", "bpda20": "masked", WORST_OF: "masked"}),
    ],
)
def test_an_attack_without_a_gradient_decides_nothing(tmp_path: Path, found, expected) -> None:
    names = [(name, attack) for name in ("base", "masked") for attack in ("pgd20", "bpda20")]
    run = make_run(
        tmp_path, {name: STRONG if name[0] == "masked" else MIDDLE for name in names}, unguided=found
    )
    compared = ask(run)
    (name,) = found
    (note,) = compared.notes
    assert f"{name} under {', '.join(found[name])}: the gradient is exactly zero" in note
    verdicts = dict(compared.datasets[0].verdicts[["attack", "verdict"]].to_numpy())
    for attack, blamed in expected.items():
        none = f"none: the attack had no gradient of {blamed} to follow"
        assert verdicts[attack] == none if blamed else verdicts[attack].startswith("stronger"), attack


def test_candidates_against_a_baseline_under_each_attack_and_worst_of(tmp_path: Path) -> None:
    run = make_run(
        tmp_path,
        {
            ("base", "pgd20"): MIDDLE,
            ("base", "bpda20"): MIDDLE,
            ("masked", "pgd20"): STRONG,
            ("masked", "bpda20"): WEAK,
        },
    )
    compared = ask(run, at="0,0.1")
    assert value(compared, "pgd20", 0.1) == 40
    assert value(compared, "bpda20", 0.1) == -60
    assert value(compared, WORST_OF, 0.1) == -60
    assert value(compared, WORST_OF, 0.0) == 0
    verdicts = dict(compared.datasets[0].verdicts[["attack", "verdict"]].to_numpy())
    assert verdicts["pgd20"] == "stronger at ε ≥ 0.1 (p < 0.001); no difference found below"
    assert verdicts[WORST_OF] == "weaker at ε ≥ 0.1 (p < 0.001); no difference found below"
    assert compared.notes == []
    shown, _, costs = compared.datasets[0].tables
    assert {row[2] for row in shown.rows} == {"0", "0.1"}
    assert ("masked", WORST_OF, "60", "3,000", "4.0") in costs.rows
    assert [path.name for path in compared.files] == [
        "comparison-digits.csv",
        "verdicts-digits.csv",
        "comparison-digits.md",
        "comparison-digits.png",
    ]
    table = pd.read_csv(compared.files[0])
    assert set(table["baseline"]) == {"base"}
    assert len(table) == 3 * 4
    before = [path.read_bytes() for path in compared.files]
    assert [path.read_bytes() for path in ask(run, at="0,0.1").files] == before


def test_folders_may_be_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {("base", "pgd20"): MIDDLE, ("masked", "pgd20"): STRONG})
    request = ComparisonRequest(str(run), "base")
    assert {path.parent for path in compare(request).files} == {run / "comparison"}
    assert {path.parent for path in compare(request, str(tmp_path / "out")).files} == {tmp_path / "out"}


def test_what_one_attack_alone_breaks_counts_in_worst_of_across_runs(tmp_path: Path) -> None:
    pairs = {("base", "pgd20"): STRONG, ("nsq", "pgd20"): STRONG}
    make_run(tmp_path / "a", pairs)
    make_run(tmp_path / "b", {("base", "noise"): MIDDLE, ("nsq", "noise"): WEAK})
    compared = ask(tmp_path)
    assert value(compared, WORST_OF, 0.3, "baseline_accuracy") == 0.6
    assert value(compared, WORST_OF, 0.3, "candidate_accuracy") == 0


def test_only_attacks_that_both_met_are_compared_and_the_others_are_named(tmp_path: Path) -> None:
    make_run(
        tmp_path,
        {
            ("base", "pgd20"): STRONG,
            ("base", "noise"): WEAK,
            ("nsq", "pgd20"): STRONG,
            ("nsq", "bpda20"): WEAK,
        },
    )
    compared = ask(tmp_path, fail_if_worse=0.0)
    assert set(compared.datasets[0].points["attack"]) == {"pgd20"}
    assert compared.worse == []
    assert compared.notes == [
        "nsq was also attacked by bpda20, unlike base: not compared, and not in worst-of.",
        "nsq was not attacked by noise, unlike base: not compared, and not in worst-of.",
    ]


def test_the_page_holds_the_notes_of_its_dataset(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG, ("base", "noise"): STRONG, ("nsq", "pgd20"): WEAK})
    make_run(tmp_path / "b", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK}, dataset="mnist")
    pages = [path.read_text() for path in ask(tmp_path).files if path.suffix == ".md"]
    note = "- nsq was not attacked by noise, unlike base: not compared, and not in worst-of."
    assert [f"## Notes\n\n{note}\n\n![" in page for page in pages] == [True, False]
    assert "## Notes" not in pages[1]


def test_worst_of_is_of_the_attacks_that_each_candidate_shares_with_the_baseline(tmp_path: Path) -> None:
    base = {("base", "pgd20"): STRONG, ("base", "noise"): MIDDLE, ("base", "bpda20"): WEAK}
    two = {("two", "pgd20"): STRONG, ("two", "noise"): STRONG, ("two", "square"): WEAK}
    make_run(tmp_path, {**base, **two, ("one", "bpda20"): WEAK})
    compared = ask(tmp_path, at="0.3", fail_if_worse=0.0)
    points = compared.datasets[0].points
    worst = points.loc[(points["attack"] == WORST_OF) & (points["epsilon"] == 0.3)].set_index("candidate")
    assert worst["baseline_accuracy"].to_dict() == {"two": 0.6, "one": 0.0}
    assert worst["candidate_accuracy"].to_dict() == {"two": 1.0, "one": 0.0}
    assert compared.worse == []
    costs = {row[:2]: row[3] for row in compared.datasets[0].tables[2].rows}
    assert costs["two", WORST_OF] == "3,000"
    assert costs["base", WORST_OF] == "4,500"


def test_each_candidate_is_judged_by_the_attack_that_it_shares(tmp_path: Path) -> None:
    make_run(tmp_path / "base", {("base", "pgd20"): STRONG, ("base", "noise"): STRONG})
    make_run(tmp_path / "others", {("one", "pgd20"): STRONG, ("two", "noise"): WEAK})
    (worse,) = ask(tmp_path, at="0.3", fail_if_worse=0.0).worse
    assert "two is worse than base on Digits, L∞: 100.0 points lower under noise" in worse


def test_curves_that_were_swept_otherwise_are_not_compared(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG}, strategy="independent")
    make_run(tmp_path / "b", {("nsq", "pgd20"): WEAK}, strategy="auto: survivors")
    with pytest.raises(UserError) as refused:
        ask(tmp_path)
    said = str(refused.value)
    a, b = tmp_path / "a", tmp_path / "b"
    assert f"base: independent over 0:0.3:4 in {a}; nsq: auto: survivors over 0:0.3:4 in {b}" in said
    assert f"`robbench run … --sweep independent --eps-grid 0:0.3:4 --out {b}-alike`" in said
    assert not (tmp_path / "comparison").exists()


def test_the_command_that_sweeps_alike_takes_the_baselines_samples(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG}, strategy="independent")
    make_run(tmp_path / "b", {("nsq", "pgd20"): WEAK[:60]}, strategy="survivors")
    alike = (
        f"`robbench run … --samples 100 --sweep independent --eps-grid 0:0.3:4 --out {tmp_path / 'b'}-alike`"
    )
    with pytest.raises(UserError, match=re.escape(alike)):
        ask(tmp_path)
    make_run(tmp_path / "c", {("nsq", "pgd20"): WEAK[:60]}, strategy="independent")
    with pytest.raises(UserError, match="--samples 100 --sweep independent"):
        ask(tmp_path)


def test_survivors_on_another_grid_is_another_attack(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG})
    make_run(tmp_path / "b", {("nsq", "pgd20"): until([1] * N, 2)}, grid=(0.0, 0.3))
    with pytest.raises(UserError, match=r"survivors over 0,0\.3 in"):
        ask(tmp_path)
    make_run(tmp_path / "b2", {("nsq", "pgd20"): until([1] * N, 5)}, grid=(0.0, 0.1, 0.2, 0.25, 0.3))
    compared = ask(tmp_path)
    assert compared.datasets[0].points["epsilon"].tolist() == [0.0, 0.1, 0.2]
    assert any("3 radii that all have and below which they agree" in note for note in compared.notes)


def test_what_was_swept_otherwise_is_left_out_where_the_rest_can_be_compared(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): MIDDLE, ("base", "noise"): STRONG})
    make_run(tmp_path / "b", {("nsq", "pgd20"): STRONG, ("sq", "pgd20"): STRONG})
    make_run(tmp_path / "c", {("nsq", "noise"): WEAK, ("free", "noise"): WEAK}, strategy="independent")
    compared = ask(tmp_path)
    rows = compared.datasets[0].points[["candidate", "attack"]].drop_duplicates()
    assert rows.to_numpy().tolist() == [["nsq", "pgd20"], ["sq", "pgd20"]]
    (note,) = [note for note in compared.notes if "under noise is left out" in note]
    assert note.startswith("nsq under noise")
    assert note.endswith("The same goes for free.")


def test_fail_if_worse_passes_nothing_that_it_did_not_judge(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): MIDDLE, ("base", "noise"): STRONG})
    make_run(tmp_path / "b", {("nsq", "pgd20"): STRONG, ("sq", "pgd20"): STRONG})
    make_run(tmp_path / "c", {("nsq", "noise"): WEAK, ("free", "noise"): WEAK}, strategy="independent")
    with pytest.raises(UserError, match="cannot judge free on digits"):
        ask(tmp_path, candidates=("free", "sq"), fail_if_worse=0.0)
    with pytest.raises(UserError, match="cannot judge nsq on digits") as refused:
        ask(tmp_path, candidates=("nsq",), fail_if_worse=0.0)
    assert "nsq under noise is left out" in str(refused.value)
    assert "To sweep it alike: `robbench run" in str(refused.value)
    with pytest.raises(UserError, match="cannot judge nsq, free on digits") as refused:
        ask(tmp_path, fail_if_worse=0.0)
    assert "name them with --candidate" in str(refused.value)
    assert ask(tmp_path, candidates=("sq",), fail_if_worse=0.0).worse == []


def test_fail_if_worse_needs_every_radius_asked_for(tmp_path: Path) -> None:
    make_run(tmp_path / "all", {("base", "pgd100"): STRONG, ("nsq", "pgd100"): STRONG})
    few = {("base", "pgd20"): until([3] * N, 3), ("mine", "pgd20"): until([3] * N, 3)}
    make_run(tmp_path / "few", few, grid=(0.0, 0.1, 0.2))
    with pytest.raises(UserError, match="cannot judge mine on digits"):
        ask(tmp_path, at="0.3", fail_if_worse=1.0)
    assert ask(tmp_path, at="0.2", fail_if_worse=1.0).worse == []


@pytest.mark.parametrize(
    ("ingredient", "view", "words"),
    [
        ("weights of pgd-at", "transfer:pgd-at", "the weights of pgd-at are not the same"),
        ("code of theirs", "exact", "the code of theirs is not the same"),
    ],
)
def test_attacks_made_of_something_else_are_other_attacks(
    tmp_path: Path, ingredient: str, view: str, words: str
) -> None:
    make_run(tmp_path / "a", {("base", "theirs"): STRONG}, view=view, spec={ingredient: "one"})
    make_run(tmp_path / "b", {("nsq", "theirs"): WEAK}, view=view, spec={ingredient: "another"})
    # What a run did not record tells nothing.
    make_run(tmp_path / "c", {("sq", "theirs"): WEAK}, view=view, spec={"weights of sq": "else"})
    make_run(tmp_path / "d", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): STRONG})
    compared = ask(tmp_path)
    rows = compared.datasets[0].verdicts[["candidate", "attack"]].to_numpy().tolist()
    assert [row for row in rows if row[1] != WORST_OF] == [["nsq", "pgd20"], ["sq", "theirs"]]
    (note,) = [note for note in compared.notes if "is left out" in note]
    assert note.startswith("nsq under theirs is left out: ")
    assert words in note


def test_the_more_thorough_of_two_sweeps_over_one_grid_is_told(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG})
    make_run(tmp_path / "b", {("nsq", "pgd20"): STRONG}, strategy="auto: search")
    (note,) = ask(tmp_path).notes
    assert note.startswith("The sweeps under pgd20 differ, and one may find some points more than the other.")


def test_of_what_several_runs_have_the_newest_counts(tmp_path: Path) -> None:
    make_run(tmp_path / "old", {("base", "pgd20"): MIDDLE, ("nsq", "pgd20"): WEAK})
    make_run(tmp_path / "new", {("nsq", "pgd20"): STRONG})
    compared = ask(tmp_path)
    assert value(compared, "pgd20", 0.3) == 40
    (note,) = compared.notes
    assert "a newer run has the same: nsq under pgd20 on digits" in note


def test_attacks_on_weights_that_were_replaced_are_left_out(tmp_path: Path) -> None:
    make_run(tmp_path / "old", {("base", "pgd20"): MIDDLE, ("base", "noise"): MIDDLE, ("nsq", "noise"): WEAK})
    make_run(tmp_path / "new", {("nsq", "pgd20"): STRONG}, weights="others")
    compared = ask(tmp_path)
    assert set(compared.datasets[0].points["attack"]) == {"pgd20"}
    assert value(compared, "pgd20", 0.3, "candidate_accuracy") == 1
    assert any("the weights differ" in note and "'nsq'" in note for note in compared.notes)


def test_a_candidate_that_never_meets_the_baseline_is_not_passed_in_silence(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): MIDDLE, ("nsq", "pgd20"): MIDDLE})
    make_run(tmp_path / "b", {("sq", "pgd20"): WEAK}, dataset="mnist")
    with pytest.raises(UserError, match="sq is left out: it was not run on the same dataset"):
        ask(tmp_path, candidates=("nsq", "sq"))


def test_samples_meet_by_identity_whatever_their_order(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): EVERY})
    make_run(tmp_path / "b", {("nsq", "pgd20"): EVERY})
    points = ask(tmp_path).datasets[0].points
    assert points[["only_baseline", "only_candidate"]].to_numpy().sum() == 0


def test_different_samples_are_refused_and_named(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG})
    make_run(tmp_path / "b", {("nsq", "pgd20"): STRONG[:70]}, first=40)
    with pytest.raises(UserError) as refused:
        ask(tmp_path)
    message = str(refused.value)
    assert "base under pgd20 has 100, nsq under pgd20 has 70" in message
    assert "40 only base under pgd20 (0000000000000000, 0000000000000001, 0000000000000002, …)" in message
    assert "10 only nsq under pgd20 (0000000000000064" in message
    assert not (tmp_path / "comparison").exists()


def test_each_candidate_is_compared_on_its_own_samples_and_radii(tmp_path: Path) -> None:
    make_run(tmp_path / "all", {("base", "pgd100"): STRONG, ("nsq", "pgd100"): WEAK})
    few = {("base", "pgd20"): until([3] * 30, 3), ("mine", "pgd20"): until([1] * 30, 3)}
    make_run(tmp_path / "few", few, grid=(0.0, 0.1, 0.2))
    compared = ask(tmp_path)
    points = compared.datasets[0].points
    assert dict(zip(points["candidate"], points["n"], strict=True)) == {"nsq": 100, "mine": 30}
    grids = {name: list(rows["epsilon"]) for name, rows in points.groupby("candidate")}
    assert grids == {"mine": [0.0, 0.1, 0.2], "nsq": [0.0, 0.1, 0.2, 0.3]}
    shown = compared.datasets[0].tables[0]
    assert next(row[:4] for row in shown.rows if row[0] == "mine") == ("mine", "pgd20", "0", "30")
    assert shown.columns[3] == "n"
    assert "n = " not in shown.title
    assert not any("different grids" in note for note in compared.notes)


def test_a_radius_that_only_some_have_is_shown_for_those(tmp_path: Path) -> None:
    make_run(tmp_path / "all", {("base", "pgd100"): STRONG, ("nsq", "pgd100"): WEAK})
    few = {("base", "pgd20"): until([3] * N, 3), ("mine", "pgd20"): until([1] * N, 3)}
    make_run(tmp_path / "few", few, grid=(0.0, 0.1, 0.2))
    compared = ask(tmp_path, at="0.1,0.3")
    rows = [row[:3] for row in compared.datasets[0].tables[0].rows]
    assert rows == [("nsq", "pgd100", "0.1"), ("nsq", "pgd100", "0.3"), ("mine", "pgd20", "0.1")]
    assert "mine is not shown at ε = 0.3: it is compared at 0, 0.1, 0.2." in compared.notes
    with pytest.raises(UserError, match=r"ε = 0.25 is not in the grid"):
        ask(tmp_path, at="0.1,0.25")


def test_only_who_truly_differs_in_samples_is_left_out_unless_named(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    make_run(tmp_path / "b", {("sq", "pgd20"): STRONG[:70]})
    compared = ask(tmp_path)
    assert set(compared.datasets[0].points["candidate"]) == {"nsq"}
    assert any(
        note.startswith("sq under pgd20 is left out: only results on the same") for note in compared.notes
    )
    with pytest.raises(UserError, match="sq cannot be compared with base"):
        ask(tmp_path, candidates=("nsq", "sq"))


def test_worst_of_stands_on_one_set_of_samples(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd100"): STRONG, ("nsq", "pgd100"): WEAK})
    make_run(tmp_path / "b", {("base", "pgd20"): STRONG[:30], ("nsq", "pgd20"): WEAK[:30]})
    compared = ask(tmp_path)
    assert set(compared.datasets[0].points["attack"]) == {"pgd100"}
    (note,) = compared.notes
    assert note.startswith("nsq under pgd20 is left out: it was not run on the 100 samples of pgd100")


def test_another_label_of_the_same_image_is_another_sample(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG})
    make_run(tmp_path / "b", {("nsq", "pgd20"): STRONG}, label=7)
    with pytest.raises(UserError, match="100 of these the other has with another label"):
        ask(tmp_path)


def test_datasets_norms_and_criteria_are_compared_apart(tmp_path: Path) -> None:
    pairs = {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK}
    make_run(tmp_path / "a", pairs)
    make_run(tmp_path / "b", pairs, norm="l2")
    make_run(tmp_path / "c", pairs, criterion="top5")
    make_run(tmp_path / "d", {("nsq", "pgd20"): WEAK}, dataset="mnist")
    compared = ask(tmp_path)
    kinds = [(found.dataset, found.norm, found.criterion) for found in compared.datasets]
    assert kinds == [("digits", "linf", "top1"), ("digits", "l2", "top1"), ("digits", "linf", "top5")]
    assert len(set(compared.files)) == 12
    make_run(tmp_path / "e", {("only-l2", "pgd20"): WEAK}, dataset="cifar10", norm="l2")
    make_run(tmp_path / "f", {("only-linf", "pgd20"): WEAK}, dataset="cifar10")
    with pytest.raises(UserError, match="nothing to compare 'only-l2' with"):
        ask(tmp_path, "only-l2", dataset="cifar10")


def test_different_grids_meet_where_both_have_radii(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG}, strategy="independent")
    make_run(tmp_path / "b", {("nsq", "pgd20"): until([2] * N, 3)}, (0.0, 0.2, 0.4), strategy="independent")
    compared = ask(tmp_path)
    assert compared.datasets[0].points["epsilon"].tolist() == [0.0, 0.2]
    assert "the 2 radii that all have" in compared.notes[0]
    make_run(tmp_path / "b2", {("nsq", "pgd20"): until([2] * N, 2)}, (0.0, 0.25), strategy="independent")
    with pytest.raises(UserError, match="no radius in common but 0"):
        ask(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baseline": "bsae"}, "Did you mean base?"),
        ({"candidates": ("nqs",)}, "Did you mean nsq?"),
        ({"candidates": ("base",)}, "with itself"),
        ({"dataset": "mnits"}, "Did you mean digits?"),
        ({"at": "0.1,0.25"}, r"ε = 0.25 is not in the grid"),
        ({"at": "0.1,0.25"}, r"The grid is 0, 0.1, 0.2, 0.3"),
        ({"at": ","}, "such as --at 0,0.1,0.2"),
        ({"at": "much"}, "'much' is not a radius"),
        ({"fail_if_worse": -1.0}, "from 0 on"),
        ({"fail_if_worse": float("nan")}, "not nan"),
    ],
)
def test_bad_requests(tmp_path: Path, options: dict[str, object], words: str) -> None:
    make_run(tmp_path, {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    with pytest.raises(UserError) as refused:
        ask(tmp_path, **options)  # pyright: ignore[reportArgumentType]
    assert words in str(refused.value)
    assert not (tmp_path / "comparison").exists()


@pytest.mark.parametrize("name", ["comparison-digits.md", "comparison-digits.png"])
def test_nothing_is_written_where_one_file_cannot_be(tmp_path: Path, name: str) -> None:
    make_run(tmp_path, {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    (tmp_path / "comparison" / name).mkdir(parents=True)
    with pytest.raises(UserError, match=f"{name} cannot be written: Is a directory"):
        ask(tmp_path)
    assert [path.name for path in (tmp_path / "comparison").iterdir()] == [name]


def test_folders_without_anything_to_compare(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder"):
        ask(tmp_path / "none")
    with pytest.raises(UserError, match="holds no runs"):
        ask(tmp_path)
    run = make_run(tmp_path / "run", {("base", "pgd20"): STRONG})
    with pytest.raises(UserError, match="nothing to compare 'base' with"):
        ask(tmp_path)
    make_run(tmp_path / "other", {("nsq", "noise"): STRONG})
    with pytest.raises(UserError, match="no attack was run on both"):
        ask(tmp_path)
    (tmp_path / "other" / "outcomes.parquet").unlink()
    (run / "curves.csv").unlink()
    with pytest.raises(UserError, match="nothing to compare yet: none of these runs is complete"):
        ask(tmp_path)


@pytest.mark.parametrize("name", ["outcomes.parquet", "curves.parquet", "run.json"])
@pytest.mark.parametrize("data", [b"", b"PAR1", b"half"])
def test_damaged_files_are_named(tmp_path: Path, name: str, data: bytes) -> None:
    run = make_run(tmp_path / "run", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    path = run / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if data == b"half" else data)
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        ask(tmp_path)


def test_curves_without_rows_are_a_damaged_run(tmp_path: Path) -> None:
    make_run(tmp_path / "a", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    other = make_run(tmp_path / "b", {("base", "pgd20"): STRONG})
    (tmp_path / "a" / "outcomes.parquet").write_bytes((other / "outcomes.parquet").read_bytes())
    with pytest.raises(UserError, match="curves without rows: 'nsq' under 'pgd20'"):
        ask(tmp_path / "a")


@pytest.mark.parametrize("lengths", [(3,) * N, (4,) * (N - 1) + (3,)])
def test_outcomes_shorter_than_the_grid_are_a_damaged_run(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    run = make_run(tmp_path / "run", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    outcomes = read_table(run / "outcomes.parquet")
    kept = [row[: lengths[i % N]] for i, row in enumerate(outcomes["broken"].to_pylist())]
    position = outcomes.schema.get_field_index("broken")
    field = outcomes.schema.field(position)
    write_table(run / "outcomes.parquet", outcomes.set_column(position, field, pa.array(kept, field.type)))
    with pytest.raises(UserError, match=r"outcomes\.parquet does not fit its run's curves"):
        ask(tmp_path)


HOSTILE = ["<script>alert(1)</script>", "../../x", "$x$", "a|b", "\x1b[31mred", "`code`\n# title", "é" * 300]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_shown_harmlessly(tmp_path: Path, hostile: str) -> None:
    results = tmp_path / "deep" / "results"
    make_run(results / "a", {(hostile, hostile): STRONG, ("nsq", hostile): WEAK}, dataset=hostile)
    compared = compare(ComparisonRequest(results, hostile))
    assert {path.resolve().parent for path in compared.files} == {(results / "comparison").resolve()}
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    page = compared.files[2].read_text()
    assert not set("<\x1b") & set(page)
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {9, 7, 6}
    assert [line for line in page.splitlines() if line.startswith("#")][1:] == [
        line for line in page.splitlines() if line.startswith("## ")
    ]
    cells = "".join(cell for table in compared.tables for row in table.rows for cell in row)
    assert "\x1b" not in cells
    assert "\n" not in cells


WORSE = {("base", "pgd20"): STRONG, ("base", "noise"): STRONG, ("nsq", "pgd20"): STRONG}


def test_fail_if_worse_judges_worst_of_at_the_radii_shown(tmp_path: Path) -> None:
    make_run(tmp_path, {**WORSE, ("nsq", "noise"): MIDDLE})
    compared = ask(tmp_path, at="0,0.2", fail_if_worse=1.0)
    assert compared.worse == [
        "nsq is worse than base on Digits, L∞: 40.0 points lower under worst-of at ε = 0.2, and 1 is "
        "allowed (p < 0.001, corrected over 2 tests)."
    ]
    assert ask(tmp_path, at="0", fail_if_worse=1.0).worse == []
    assert ask(tmp_path, at="0.2", fail_if_worse=40.0).worse == []
    assert len(ask(tmp_path, at="0.2", fail_if_worse=39.9).worse) == 1
    assert ask(tmp_path, at="0.2").worse == []


def test_a_difference_that_may_be_chance_fails_nothing(tmp_path: Path) -> None:
    slightly = until([4] * 95 + [1] * 5)  # five samples of a hundred: p = 0.0625
    make_run(tmp_path, {("base", "pgd20"): STRONG, ("nsq", "pgd20"): slightly})
    assert ask(tmp_path, at="0.3", fail_if_worse=1.0).worse == []
    more = until([4] * 93 + [1] * 7)
    make_run(tmp_path / "new", {("base", "pgd20"): STRONG, ("nsq", "pgd20"): more})
    assert len(ask(tmp_path / "new", at="0.3", fail_if_worse=1.0).worse) == 1
    # The same seven, but three radii were tested: 3 · 0.0156 < 0.05; four: 0.0625.
    assert len(ask(tmp_path / "new", at="0.1,0.2,0.3", fail_if_worse=1.0).worse) == 3
    assert ask(tmp_path / "new", at="0,0.1,0.2,0.3", fail_if_worse=1.0).worse == []


def test_defenses_are_printed_as_their_newest_run_prints_them(tmp_path: Path) -> None:
    both = {("base", "pgd20"): MIDDLE, ("mine", "pgd20"): STRONG}
    make_run(tmp_path / "old", both, titles={"mine": "Mine"})
    make_run(tmp_path / "new", {("mine", "bpda20"): WEAK}, titles={"mine": "Mine (collapsed)"})
    (compared,) = ask(tmp_path).datasets
    assert compared.defenses == {"base": "base", "mine": "Mine (collapsed)"}


def test_what_holds_for_many_candidates_is_said_once() -> None:
    """Twenty candidates of one run were twenty times the same command, of 2000 characters each."""
    said = said_together(
        {
            "sq": ["sq under pgd is left out. Type: `robbench run --defense sq,nsq`.", "sq lacks noise."],
            "nsq": ["nsq under pgd is left out. Type: `robbench run --defense sq,nsq`."],
            "free": ["free under pgd is left out. Type: `robbench run --defense free`."],
        }
    )
    assert said == [
        "sq under pgd is left out. Type: `robbench run --defense sq,nsq`. The same goes for nsq.",
        "sq lacks noise.",
        "free under pgd is left out. Type: `robbench run --defense free`.",
    ]
