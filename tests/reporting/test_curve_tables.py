"""The curves as tables: what a row is called, and what stands at a glance."""

import pandas as pd

from robbench.epsilon import EpsilonUnit
from robbench.reporting.curve_tables import at_a_glance, curve_table
from tests.figures.made_up import made_up_curves

GRID = (0.0, 0.1)
ONE, TWO = "bpda20 + pgd20", "bpda100 + pgd100"


def worst_of(attacks: str, n: int = 1000) -> pd.DataFrame:
    curves = made_up_curves(["nsq"], ["worst-of"], GRID, n=n, job_id="aa+bb")
    return curves.assign(attacks=attacks)


def test_worst_of_is_named_by_its_attacks_where_there_are_several() -> None:
    def names(curves: pd.DataFrame) -> list[str]:
        return [row.attack for rows in curve_table(curves, EpsilonUnit(1)).defenses for row in rows]

    assert names(worst_of(ONE)) == ["worst-of"]
    both = pd.concat([worst_of(ONE), worst_of(TWO)], ignore_index=True)
    assert names(both) == [f"worst-of: {ONE}", f"worst-of: {TWO}"]


def test_attacks_that_coincide_are_one_attack_at_a_glance() -> None:
    curves = made_up_curves(["natural"], ["pgd20"], GRID)
    same = curves.assign(attack="worst-of")
    (line,) = at_a_glance(pd.concat([curves, same], ignore_index=True), 0.1)
    assert line.attack == "pgd20"
    (line,) = at_a_glance(pd.concat([curves, same.assign(job_id="aa+bb")], ignore_index=True), 0.1)
    assert line.attack == "worst of 2"


def test_as_many_attacks_at_a_glance_are_named_where_they_are_others() -> None:
    other = worst_of(TWO).assign(defense="sq", title="SQ")
    lines = at_a_glance(pd.concat([worst_of(ONE), other], ignore_index=True), 0.1)
    assert [line.attack for line in lines] == [f"worst of 2: {ONE}", f"worst of 2: {TWO}"]
    assert at_a_glance(other, 0.1)[0].attack == "worst of 2"


def test_clean_accuracy_at_a_glance_is_on_the_samples_of_the_worst() -> None:
    both = ["natural", "nsq"]
    many = made_up_curves(both, ["pgd20"], GRID, n=1000).query("defense == 'nsq'")
    few = made_up_curves(both, ["fgsm", "pgd100"], GRID, n=20).query(
        "defense == 'nsq' and attack == 'pgd100'"
    )
    (line,) = at_a_glance(pd.concat([many, few], ignore_index=True), 0.1)
    (alone,) = at_a_glance(few, 0.1)
    assert line == alone
    assert (line.attack, line.samples) == ("pgd100", "20")
