import pandas as pd

from robbench.analysis.curves import curves_of
from robbench.analysis.joining import join_runs
from tests.outcome_tables import GRID, outcome_table


def curves(run: str, defense: str, samples: int, grid: tuple[float, ...] = GRID) -> pd.DataFrame:
    table = outcome_table(range(samples), grid=grid, defense=defense)
    return curves_of(table, grid).assign(run=run, weights="the same", fingerprint="f00d", unguided=False)


def test_the_newest_run_wins_with_its_whole_curve_and_it_is_said() -> None:
    old = [curves("old", name, 5) for name in ("natural", "nsq")]
    new = [curves("new", name, 9, (0.0, 0.3)) for name in ("nsq", "sq")]
    joined = join_runs(pd.concat([*old, *new], ignore_index=True))
    found = joined.curves.groupby("defense", sort=False)["epsilon"].apply(list).to_dict()
    assert found == {"natural": list(GRID), "nsq": [0, 0.3], "sq": [0, 0.3]}
    assert set(joined.curves.loc[joined.curves["defense"] == "nsq", "run"]) == {"new"}
    assert joined.notes == [
        "1 curve of old is left out, because a newer run has the same: nsq under pgd100 on digits, in new."
    ]


def test_a_newer_run_on_fewer_samples_is_said_to_be_one() -> None:
    tables = [curves("old", "nsq", 9), curves("new", "nsq", 5)]
    (note,) = join_runs(pd.concat(tables, ignore_index=True)).notes
    assert note.endswith("nsq under pgd100 on digits, in new on 5 samples instead of 9.")


def test_a_newer_run_that_swept_otherwise_is_said_to_have() -> None:
    tables = [curves("old", "nsq", 9), curves("new", "nsq", 9).assign(strategy="independent")]
    (note,) = join_runs(pd.concat(tables, ignore_index=True)).notes
    assert note.endswith("in new, swept by independent instead of survivors.")


def test_several_curves_left_out_are_counted() -> None:
    tables = [curves(run, name, 5) for run in ("a", "b") for name in ("natural", "nsq")]
    (note,) = join_runs(pd.concat(tables, ignore_index=True)).notes
    assert note.startswith("2 curves of a are left out")
    assert "for example natural under pgd100 on digits, in b" in note


def test_nothing_is_left_out_where_nothing_coincides() -> None:
    table = pd.concat([curves("a", "natural", 5), curves("b", "nsq", 5)], ignore_index=True)
    joined = join_runs(table)
    assert joined.curves.drop(columns="attacks").equals(table)
    assert joined.notes == []
    assert join_runs(table.iloc[:0]).curves.empty


def test_worst_of_over_other_attacks_is_another_curve() -> None:
    old, new = (
        [curves(run, defense, 5).assign(attack=attack) for defense in defenses for attack in attacks]
        for run, defenses, attacks in [
            ("old", ["nsq", "sq"], ["pgd100", "bpda100", "worst-of"]),
            ("new", ["nsq"], ["pgd20", "bpda20", "worst-of"]),
        ]
    )
    joined = join_runs(pd.concat([*old, *new], ignore_index=True))
    worst = joined.curves.query("attack == 'worst-of'").drop_duplicates(["defense", "attacks"])
    assert list(zip(worst["defense"], worst["attacks"], strict=True)) == [
        ("nsq", "bpda100 + pgd100"),
        ("sq", "bpda100 + pgd100"),
        ("nsq", "bpda20 + pgd20"),
    ]
    assert joined.notes == []


def test_worst_of_over_the_same_attacks_is_the_newest_runs() -> None:
    attacks = ["pgd100", "bpda100", "worst-of"]
    tables = [curves(run, "nsq", 5).assign(attack=attack) for run in ("old", "new") for attack in attacks]
    joined = join_runs(pd.concat(tables, ignore_index=True))
    assert set(joined.curves["run"]) == {"new"}
    assert joined.notes[0].startswith("3 curves of old are left out")


def test_a_curve_of_the_right_weights_is_not_lost_to_a_newer_one_of_others() -> None:
    old = curves("old", "mine", 5).assign(weights="a")
    between = curves("between", "mine", 5).assign(weights="b")
    new = curves("new", "mine", 5).assign(attack="noise", weights="a")
    joined = join_runs(pd.concat([old, between, new], ignore_index=True))
    assert set(zip(joined.curves["attack"], joined.curves["run"], strict=True)) == {
        ("pgd100", "old"),
        ("noise", "new"),
    }
    assert joined.notes == [
        "What between says of 'mine' is left out: the weights differ from those in the newer new."
    ]


def test_other_weights_under_one_name_are_not_called_the_same() -> None:
    old, new = (curves(run, "mine", 5).assign(weights=run) for run in ("old", "new"))
    assert join_runs(pd.concat([old, new], ignore_index=True)).notes == [
        "What old says of 'mine' is left out: the weights differ from those in the newer new."
    ]


def test_a_defense_is_what_the_newest_run_attacked() -> None:
    old = curves("old", "mine", 5).assign(attack="fgsm", weights="a")
    unknown = curves("unknown", "mine", 5).assign(attack="noise", weights="")
    new = curves("new", "mine", 5).assign(weights="b")
    joined = join_runs(pd.concat([old, unknown, new], ignore_index=True))
    assert set(joined.curves["attack"]) == {"noise", "pgd100"}
    assert joined.notes == [
        "What old says of 'mine' is left out: the weights differ from those in the newer new."
    ]


def test_different_data_of_one_name_are_said_to_be() -> None:
    one, other = curves("one", "nsq", 5), curves("other", "sq", 5).assign(fingerprint="beef")
    joined = join_runs(pd.concat([one, other], ignore_index=True))
    assert len(joined.curves) == len(one) + len(other)
    (note,) = joined.notes
    assert note.startswith("Different data are called digits, as their fingerprints show: ")
    assert "one (f00d), other (beef)" in note


def test_more_samples_of_the_same_data_and_unknown_data_are_no_difference() -> None:
    few, many = curves("few", "nsq", 5), curves("many", "sq", 9).assign(fingerprint="beef")
    unknown = curves("unknown", "natural", 5).assign(fingerprint="")
    assert join_runs(pd.concat([few, many, unknown], ignore_index=True)).notes == []


def test_curves_without_a_gradient_are_told_unless_they_are_left_out() -> None:
    old, new = curves("old", "nsq", 5).assign(unguided=True), curves("new", "nsq", 5)
    (said,) = join_runs(old).notes
    assert said.startswith("nsq under pgd100: the gradient is exactly zero, so to survive is no robustness.")
    assert not any("gradient" in note for note in join_runs(pd.concat([old, new], ignore_index=True)).notes)
