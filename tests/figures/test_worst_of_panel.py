import pandas as pd

from robbench.figures.curve_panel import describe_panel, panel_texts, panels_of
from robbench.figures.titles import attack_title
from tests.figures.made_up import made_up_curves


def worst_of(jobs: dict[str, str]) -> pd.DataFrame:
    curves = made_up_curves(list(jobs), ["worst-of"], backend="all", view="all", loss="")
    return curves.assign(job_id=[jobs[name] for name in curves["defense"]])


def test_the_title_says_how_many_attacks() -> None:
    assert describe_panel(worst_of({"sq": "aa+bb+cc", "nsq": "dd+ee+ff"})) == [
        "Worst of 3 attacks",
        "n\u00a0=\u00a01,000",
    ]


def test_where_attacks_coincide_the_number_is_smaller_and_said() -> None:
    title, *details = describe_panel(worst_of({"natural": "aa+bb", "pgd-at": "ab+ac", "nsq": "dd+ee+ff"}))
    assert title == "Worst of 3 attacks"
    assert " ".join(details).startswith("only 2 on Natural, PGD-AT, n")


def test_worst_of_over_other_attacks_has_its_own_panel_which_names_them() -> None:
    ours, theirs = (
        worst_of({name: jobs}).assign(attacks=attacks)
        for name, jobs, attacks in [("nsq", "aa+bb", "bpda20 + pgd20"), ("sq", "cc+dd", "bpda100 + pgd100")]
    )
    panels = panels_of(pd.concat([ours, theirs], ignore_index=True))
    assert [describe_panel(panel) for panel in panels] == [
        ["Worst of 2 attacks", f"{attacks}, n\u00a0=\u00a01,000"]
        for attacks in ("bpda20 + pgd20", "bpda100 + pgd100")
    ]


def test_one_attack_under_two_names_is_one() -> None:
    assert describe_panel(worst_of({"natural": "aa"}))[0] == "Worst of 1 attack"


def test_a_bpda_panel_of_defenses_without_a_layer_says_what_it_is() -> None:
    panel = made_up_curves(["natural", "pgd-at"], ["bpda100"])
    assert "Natural, PGD-AT: no such layer, so this is PGD" in panel_texts(panel)
    assert not any("no such layer" in text for text in panel_texts(made_up_curves(["natural"], ["pgd100"])))


def test_its_name_alone() -> None:
    assert attack_title("worst-of").name == "Worst of all attacks"


def test_a_panel_says_whose_curves_count_less_as_a_success():
    panel = made_up_curves(["nsq", "pgd-at"], ["pgd100"])
    strategies = {"nsq": "independent", "pgd-at": "survivors"}
    mixed = panel.assign(strategy=[strategies[name] for name in panel["defense"]])
    assert "NSQ: each ε by itself, last iterate; the others: any iterate" in panel_texts(mixed)
    assert not any("iterate" in text for text in panel_texts(panel))
