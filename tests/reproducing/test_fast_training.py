"""The comparison of fast trainings, on made-up runs where every verdict is known."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from robbench.analysis.claims import FAILS, HOLDS, UNDECIDED
from robbench.analysis.intervals import wilson
from robbench.classifier import PassCounter
from robbench.datasets import datasets
from robbench.defenses import TrainingBatch
from robbench.defenses.options import build_recipe
from robbench.networks import build_network
from robbench.reproducing import ReproduceRequest, reproduce, targets
from robbench.reproducing.fast_training.claims import CLAIMS
from robbench.reproducing.fast_training.evidence import gather_evidence, summarize
from robbench.reproducing.fast_training.judging import claims_table, judge_claims
from robbench.reproducing.fast_training.seeds import over_seeds
from robbench.reproducing.fast_training.settings import AUTOATTACK, CIFAR10_LARGE, DIGITS, SETTINGS
from robbench.reproducing.fast_training.tables import models_table
from robbench.reproducing.fast_training.views import cost_panels, curve_blocks, curves_table
from robbench.reproducing.shelf import Shelf
from robbench.training.probe import Probe

from .made_up_trainings import MadeUp, put_on

DEFENSES = {
    "natural": MadeUp(980, 0, 0, {"device": "elsewhere", "overfitting": ""}, "Natural"),
    "pgd-at": MadeUp(930, 500, 450, {"n_forward": 3_300_000, "n_backward": 3_300_000}, "PGD-AT"),
    "fgsm-at": MadeUp(950, 0, 0, {"overfitting": "collapsed at epoch 35"}, "FGSM-AT (collapsed)"),
    "fast-at": MadeUp(950, 100, 90, {"overfitting": "no collapse"}, "FAST-AT"),
    "n-fgsm": MadeUp(940, 120, 110, {"seconds": 30.0}, "N-FGSM"),
    "fast-at-ga": MadeUp(100, 100, 100, {"n_backward": 450_000, "seconds": 100.0}, "FAST-AT-GA"),
    "fast-bat": MadeUp(900, 200, 95, {}, "FAST-BAT"),
    "trades": MadeUp(900, 550, 500, {"n_forward": 3_900_000, "n_backward": 3_600_000}, "TRADES"),
    "backward-smoothing": MadeUp(
        900,
        550,
        400,
        {"n_forward": 1_500_000, "n_backward": 1_200_000, "seconds": 17.0},
        "Backward Smoothing",
    ),
    "sq": MadeUp(980, 300, None, {}, "SQ"),
    "nsq": MadeUp(980, 300, 300, {}, "NSQ"),
    "nsq-fgsm": MadeUp(980, 400, 390, {}, "<script>"),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Shelf:
    """To read only."""
    found = Shelf(tmp_path_factory.mktemp("fast") / "paper")
    put_on(found, DEFENSES)
    return found


@pytest.fixture
def own_shelf(shelf, tmp_path) -> Shelf:
    """A copy, to write to."""
    return Shelf(shutil.copytree(shelf.folder, tmp_path / "paper"))


@pytest.fixture(scope="module")
def judged(shelf) -> pd.DataFrame:
    return judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, shelf))


def summary_of(shelf: Shelf) -> pd.DataFrame:
    return pd.concat([summarize(evidence) for evidence in gather_evidence(DIGITS, shelf)], ignore_index=True)


def verdict(judged: pd.DataFrame, claim: str) -> str:
    (found,) = set(judged.loc[judged["claim"].str.startswith(claim), "verdict"])
    return found


def test_the_worst_is_what_no_attack_broke(shelf):
    summary = summarize(gather_evidence(DIGITS, shelf)[0]).set_index("defense")
    row = summary.loc["fast-bat"]
    assert (row["clean"], row["pgd"], row["autoattack"], row["worst_of"]) == (0.9, 0.2, 0.095, 0.095)
    assert row["ci_low"] < 0.095 < row["ci_high"]
    assert summary.loc["nsq", "worst_of"] == 0.3
    assert summary.loc["free-at", "state"] == "not run"
    assert not summary.loc["fast-at-ga", "learned"]


def test_without_autoattack_the_worst_is_not_known_nor_drawn(shelf):
    summary = summary_of(shelf)
    row = summary.set_index(["defense", "seed"]).loc["sq", 0]
    assert (row["clean"], row["pgd"]) == (0.98, 0.3)
    assert row[["autoattack", "worst_of", "ci_low", "ci_high"]].isna().all()
    curves = curves_table(gather_evidence(DIGITS, shelf))
    assert set(curves.loc[curves["defense"] == "sq", "attack"]) == {"pgd20", "bpda20"}
    (points,) = cost_panels(summary).values()
    assert set(points["defense"]) == DEFENSES.keys() - {"sq"}
    (shown,) = models_table(summary.loc[summary["defense"] == "sq"]).rows
    assert shown[3:12] == ("1", "1,000", "98.0", "30.0", "", "not run", "not run", "", "")


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("FAST-BAT is more robust than FAST-AT", UNDECIDED),
        ("FAST-BAT does not overfit", HOLDS),
        ("FAST-AT-GA does not overfit", UNDECIDED),
        ("FGSM-AT overfits", HOLDS),
        ("FAST-AT overfits", FAILS),
        ("N-FGSM has FAST-AT-GA", UNDECIDED),
        ("Backward Smoothing has TRADES", FAILS),
        ("Backward Smoothing costs", HOLDS),
        ("NSQ-FGSM is more robust", HOLDS),
        ("Free-AT costs", UNDECIDED),
    ],
)
def test_a_verdict_is_the_known_one(judged, claim, expected):
    assert verdict(judged, claim) == expected


def test_part_by_part_the_numbers_are_there(judged):
    parts = judged.loc[judged["claim"] == "FAST-BAT is more robust than FAST-AT"].set_index("attack")
    assert list(parts["part_verdict"]) == [HOLDS, UNDECIDED]
    assert parts.loc["pgd20", "difference"] == pytest.approx(10)
    assert parts.loc["pgd20", "n"] == 1000
    clean = judged.loc[judged["claim"].str.startswith("FAST-BAT loses no clean")]
    assert list(clean["part_verdict"]) == [FAILS, UNDECIDED], "5 points lost; a training that failed"


def test_a_failed_training_decides_nothing_and_says_so(judged):
    words = judged.loc[judged["claim"].str.startswith("N-FGSM has"), "words"]
    assert set(words) == {"FAST-AT-GA did not learn"}


def cost_of(shelf: Shelf, claim: str) -> dict:
    judged = judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, shelf))
    (part,) = judged.loc[judged["claim"].str.startswith(claim)].to_dict("records")
    return part


def test_passes_and_seconds_that_disagree_decide_nothing(own_shelf):
    made = DEFENSES["backward-smoothing"]
    put_on(own_shelf, {"backward-smoothing": replace(made, training={**made.training, "seconds": 40.0})})
    part = cost_of(own_shelf, "Backward Smoothing costs")
    assert part["words"] == "0.36 of the passes, 0.80 of the seconds"
    assert part["verdict"] == UNDECIDED


def test_of_who_differentiates_a_gradient_seconds_decide(own_shelf):
    part = cost_of(own_shelf, "N-FGSM costs")
    assert part["words"] == "0.80 of the passes, 0.30 of the seconds"
    assert part["verdict"] == HOLDS
    made = DEFENSES["n-fgsm"]
    put_on(own_shelf, {"n-fgsm": replace(made, training={"device": "elsewhere"})})
    part = cost_of(own_shelf, "N-FGSM costs")
    assert part["words"] == "0.80 of the passes, which do not count that a gradient is differentiated"
    assert part["verdict"] == UNDECIDED
    assert part["difference"] == 0.8


def test_no_collapse_rules_none_out_where_the_training_was_cut_short(own_shelf):
    cut = {"deviations": "budget epochs=5 instead of epochs=15"}
    short = {name: replace(DEFENSES[name], training={**DEFENSES[name].training, **cut}) for name in DEFENSES}
    put_on(own_shelf, short)
    judged = judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, own_shelf))
    for claim in ("FAST-AT overfits", "FAST-BAT does not overfit"):
        assert verdict(judged, claim) == UNDECIDED
        (words,) = judged.loc[judged["claim"].str.startswith(claim), "words"]
        assert words == "watch: no collapse; budget epochs=5 instead of epochs=15"
    assert verdict(judged, "FGSM-AT overfits") == HOLDS, "what was seen was seen"


def test_a_setting_that_was_not_run_is_one_line(shelf):
    judged = judge_claims(CLAIMS[CIFAR10_LARGE], gather_evidence(CIFAR10_LARGE, shelf))
    assert set(judged["verdict"]) == {UNDECIDED}
    (row,) = claims_table(judged).rows
    assert row[0] == "CIFAR-10, ε = 16/255"
    assert row[-1] == "not run"


def test_fewer_samples_of_one_are_fewer_of_all(own_shelf):
    put_on(own_shelf, {"fast-at": DEFENSES["fast-at"]}, samples=50, identity="1" * 16)
    evidence = gather_evidence(DIGITS, own_shelf)[0]
    clean = [subject.survived("clean") for subject in evidence.subjects.values()]
    assert {None if survived is None else len(survived) for survived in clean} == {50}


def test_autoattack_on_fewer_samples_takes_none_from_what_is_cheap(tmp_path):
    shelf = Shelf(tmp_path / "paper")
    put_on(shelf, {"fast-bat": MadeUp(900, 200, 95), "fast-at": MadeUp(950, 100, 90)}, strongest_samples=400)
    evidence = gather_evidence(DIGITS, shelf)
    row = summarize(evidence[0]).set_index("defense").loc["fast-bat"]
    assert (row["n"], row["clean"], row["pgd"]) == (1000, 0.9, 0.2)
    # The first 200 survive PGD and the first 95 AutoAttack.
    assert (row["n_worst"], row["autoattack"], row["worst_of"]) == (400, 95 / 400, 95 / 400)
    assert (row["ci_low"], row["ci_high"]) == wilson(np.array(95), np.array(400))
    judged = judge_claims(CLAIMS[DIGITS], evidence).set_index(["claim", "seed"])
    parts = judged.loc[("FAST-BAT is more robust than FAST-AT", 0)].set_index("attack")
    assert parts["n"].to_dict() == {"pgd20": 1000, AUTOATTACK: 400}
    (shown,) = [shown for shown in models_table(summary_of(shelf)).rows if shown[1] == "FAST-BAT"]
    assert shown[4:9] == ("1,000", "90.0", "20.0", "400", "23.8")
    (heading,) = cost_panels(summary_of(shelf))
    assert heading == "Digits, ε = 0.3, n = 400"
    (heading,) = curve_blocks(summary_of(shelf), curves_table(evidence))
    assert heading == "Digits, ε = 0.3, n = 1,000, of AutoAttack 400"


@pytest.fixture
def seeds(tmp_path) -> Shelf:
    """Three trainings of two defenses and one of a third."""
    found = Shelf(tmp_path / "paper")
    for seed, (fast_bat, fast_at) in enumerate([(500, 300), (540, 320), (490, 310)]):
        overfitting = "collapsed at epoch 5" if seed == 1 else "no collapse"
        made = {"fast-bat": MadeUp(900, fast_bat, fast_bat - 100, {"seconds": 50.0 + seed})}
        made["fast-at"] = MadeUp(900, fast_at, fast_at - 100, {"overfitting": overfitting}, "FAST-AT")
        put_on(found, made, seed=seed)
    put_on(found, {"fast-at-ga": MadeUp(900, 300, 200)})
    return found


def test_several_seeds_are_one_row_of_means_and_a_dash_each(seeds):
    together = over_seeds(summary_of(seeds)).set_index("defense")
    row = together.loc["fast-bat"]
    assert (row["seeds"], row["each"], row["seconds"]) == (3, (0.4, 0.44, 0.39), 51.0)
    assert row["worst_of"] == pytest.approx(0.41)
    low, high = wilson(np.array(410), np.array(1000))
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert together.loc["fast-at", "remark"] == "collapsed in 1 of 3"
    assert together.loc["fast-at", "overfitting"] == "no collapse; collapsed at epoch 5"
    assert together.loc["fast-at-ga", ["seeds", "worst_of"]].to_list() == [1, 0.2]
    rows = {cells[1]: cells for cells in models_table(summary_of(seeds)).rows}
    assert rows["FAST-BAT"][3:10] == ("3", "1,000", "90.0", "51.0", "1,000", "41.0", "41.0")
    assert rows["FAST-BAT"][10] == "38.0–44.1"
    assert rows["FAST-BAT"][11] == "40.0 44.0 39.0"


@pytest.mark.parametrize("lacking", [[0], [1, 2], [0, 1, 2]])
def test_a_mean_has_no_interval_where_a_seed_lacks_the_strongest_attack(seeds, lacking):
    summary = summary_of(seeds)
    summary.loc[summary["seed"].isin(lacking), ["n_worst", "autoattack", "worst_of"]] = np.nan
    row = over_seeds(summary).set_index("defense").loc["fast-bat"]
    assert row["pgd"] == pytest.approx(0.51)
    assert row[["n_worst", "autoattack", "worst_of", "ci_low", "ci_high"]].isna().all()


def test_a_claim_is_decided_where_every_seed_decides_it_alike(seeds):
    judged = judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, seeds))
    above = judged.loc[judged["claim"] == "FAST-BAT is more robust than FAST-AT"]
    assert (list(above["seed"]), set(above["seed_verdict"])) == ([0, 0, 1, 1, 2, 2], {HOLDS})
    assert verdict(judged, "FAST-BAT is more robust than FAST-AT") == HOLDS
    collapse = judged.loc[judged["claim"].str.startswith("FAST-AT overfits")]
    assert list(collapse["seed_verdict"]) == [FAILS, HOLDS, FAILS]
    assert set(collapse["verdict"]) == {UNDECIDED}, "one training of three collapsed"
    beside = judged.loc[judged["claim"] == "FAST-BAT is more robust than FAST-AT-GA"]
    assert (set(beside["seed"]), set(beside["verdict"])) == ({0}, {HOLDS}), "the only seed that both have"
    words = {row[1]: row[-1] for row in claims_table(judged).rows}
    assert words["FAST-AT overfits catastrophically at a large ε"] == (
        "seed 0: watch: no collapse; seed 1 holds, seed 2 does not hold"
    )


def test_a_figure_and_remarks_say_how_many_seeds_there_are(seeds):
    done = reproduce(ReproduceRequest(("fast-training",), seeds.folder))
    (note,) = [note for note in done.notes if "from as many seeds" in note]
    assert note.startswith("Digits, ε = 0.3: 3 trainings of each defense, fewer of FAST-AT-GA, from as many")
    curves = pd.read_csv(seeds.folder / "fast-training-curves.csv")
    assert set(curves["training_seed"]) == {0, 1, 2}
    ((heading, block),) = curve_blocks(summary_of(seeds), curves).items()
    assert heading == "Digits, ε = 0.3, n = 1,000, trainings from seed 0"
    assert set(block["training_seed"]) == {0}, "a panel shows the first"


def test_figures_tables_and_page_are_written(own_shelf):
    done = reproduce(ReproduceRequest(("fast-training",), own_shelf.folder))
    names = {path.name for path in done.files}
    data = {f"fast-training{ending}.csv" for ending in ("", "-curves", "-claims")}
    assert names == {*data, "fast-training.png", "fast-training-curves.png", "README.md"}
    page = (own_shelf.folder / "README.md").read_text(encoding="utf-8")
    section = page.partition("## Fast robust training")[2].partition("\n## ")[0]
    assert "![" in section
    assert "fast-training-curves.png" in section
    assert "FAST-AT-GA did not learn" in section
    assert "not run" in section
    assert "<script>" not in section
    assert "collapsed at epoch 35" in section
    assert "Not run: Digits" in section
    models, claims = done.tables
    assert len(models.rows) == len(DEFENSES) + len(SETTINGS)
    assert all(len(row) == len(models.columns) for row in models.rows)
    assert all(len(row) == len(claims.columns) for row in claims.rows)
    curves = pd.read_csv(own_shelf.folder / "fast-training-curves.csv")
    worst = curves.loc[(curves["attack"] == "worst-of") & (curves["defense"] == "fast-bat")]
    assert list(worst["epsilon"]) == [0.0, 0.3]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"altered": "weight 0.2 instead of 2"}, "N-FGSM with weight 0.2 instead of 2"),
        ({"iterations": 300}, "trained for different lengths"),
        ({"deviations": "network a instead of b"}, "trained under different conditions"),
    ],
)
def test_other_trainings_than_the_claims_decide_nothing(tmp_path, changed, reason):
    cheap = {"seconds": 10.0, "n_forward": 100_000, "n_backward": 100_000}
    judged = []
    for training in (cheap, {**cheap, **changed}):
        shelf = Shelf(tmp_path / str(len(judged)))
        others = {"fast-at-ga": MadeUp(900, 200, 150)}
        put_on(shelf, {"n-fgsm": MadeUp(900, 300, 200, training), **others})
        judged.append(judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, shelf)))
    for claim in ("N-FGSM has FAST-AT-GA", "N-FGSM costs"):
        assert [verdict(table, claim) for table in judged] == [HOLDS, UNDECIDED]
        words = judged[1].loc[judged[1]["claim"].str.startswith(claim), "words"]
        assert words.str.endswith(f"; {reason}").all()


def test_trainings_on_different_images_are_compared_in_cost_alone(tmp_path):
    shelf = Shelf(tmp_path / "paper")
    made = {"held_out": 0, "seconds": 10.0, "n_forward": 100_000, "n_backward": 100_000}
    put_on(shelf, {"n-fgsm": MadeUp(900, 300, 200, made), "fast-at-ga": MadeUp(900, 200, 150)})
    judged = judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, shelf))
    assert verdict(judged, "N-FGSM has FAST-AT-GA") == UNDECIDED
    assert judged["words"].str.endswith("; trained on different images, as one was watched").sum() == 2
    assert verdict(judged, "N-FGSM costs") == HOLDS


def test_who_has_the_robustness_of_a_broken_network_is_not_said(tmp_path):
    shelf = Shelf(tmp_path / "paper")
    # Of 1 000 samples of ten classes: below guessing, and not told from it.
    put_on(shelf, {"n-fgsm": MadeUp(900, 110, 10), "fast-at-ga": MadeUp(900, 110, 10, title="FAST-AT-GA")})
    judged = judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, shelf))
    assert verdict(judged, "N-FGSM has FAST-AT-GA") == UNDECIDED
    assert judged["words"].str.endswith("; FAST-AT-GA is not above guessing").sum() == 2


@pytest.mark.parametrize(
    ("seen", "found"), [("no collapse", HOLDS), ("no collapse in one look", UNDECIDED), ("collapsed", FAILS)]
)
def test_one_look_does_not_rule_a_collapse_out(tmp_path, seen, found):
    shelf = Shelf(tmp_path / "paper")
    put_on(shelf, {"n-fgsm": MadeUp(900, 300, 200, {"overfitting": seen})})
    judged = judge_claims(CLAIMS[DIGITS], gather_evidence(DIGITS, shelf))
    assert verdict(judged, "N-FGSM does not overfit") == found


def test_the_yardstick_alone_is_no_error_and_has_no_panels(tmp_path):
    shelf = Shelf(tmp_path / "paper")
    put_on(shelf, {"pgd-at": DEFENSES["pgd-at"]})
    done = reproduce(ReproduceRequest(("fast-training",), shelf.folder))
    pictures = {path.name for path in done.files if path.suffix == ".png"}
    assert pictures == {"fast-training.png"}


def test_nothing_there_is_not_an_error(tmp_path):
    tmp_path.joinpath("paper").mkdir()
    done = reproduce(ReproduceRequest(("fast-training",), tmp_path / "paper"))
    assert not [path for path in done.files if path.suffix == ".png"]


def test_the_runs_are_those_of_all_settings():
    runs = targets.get("fast-training").runs
    assert len({run.slot for run in runs}) == len(runs) == 2 * (3 * 16 + 13 + 6)
    large = next(run for run in runs if run.training.options)
    assert "--set epsilon=16/255 --budget epochs=15 --watch" in large.training.command()
    assert {run.training.budget for run in runs if run.training.dataset == "cifar10"} == {"epochs=15"}
    assert {run.most for run in runs if run.training.dataset == "cifar10"} == {1000}


class Multiplications(TorchDispatchMode):
    """Counts those of convolutions and matrix products."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.count += flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=found)
        return found


@pytest.mark.parametrize("defense", ["fast-at-ga", "fast-bat"])
def test_to_differentiate_a_gradient_takes_half_as_much_again_as_its_passes_say(defense):
    cost = {}
    images, labels = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    for name in (defense, "pgd-at"):
        recipe = build_recipe(name, datasets.get("cifar10"), {})
        made, counter = recipe.wrap(build_network("residual_cnn_16", (3, 32, 32), 10)), PassCounter()
        Probe(made.network, counter, torch.device("cpu"))
        with Multiplications() as multiplications:
            recipe.loss(made, TrainingBatch(images, labels, torch.Generator())).backward()
        cost[name] = multiplications.count / (counter.forward + counter.backward)
    assert 1.4 < cost[defense] / cost["pgd-at"] < 1.6
