"""What is collected from runs: curves, worst-of over several runs, remarks, and the paper's numbers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.analysis.verdicts import signed
from robbench.figures.paper_points import PAPER_POINTS
from robbench.models import StoredModel, find_model
from robbench.models.watch_record import Look, WatchRecord
from robbench.reproducing import PaperRun, Training, targets
from robbench.reproducing.claims import claims_table
from robbench.reproducing.collecting import (
    collect_alike,
    collect_curves,
    collect_together,
    found_on,
    of_one_model,
    remarks,
)
from robbench.reproducing.page import ordinary_runs, papers_curves
from robbench.reproducing.shelf import Shelf, StoredRun
from robbench.reproducing.tables import paper_table
from robbench.reproducing.training_cost import cost_notes, cost_table
from robbench.reproducing.trainings import COLUMNS, find_trained, record_trainings
from robbench.store.layout import RUN

from ..comparing.runs import make_run, until
from ..figures.made_up import made_up_curves
from .conftest import EXTRA, GRID, tiny_run


def test_runs_of_one_model_are_taken_together(reproducer):
    reproducer("tiny", "--samples", 8)
    runs = (tiny_run(STRONGER, "nsq"), EXTRA)
    together = collect_together(of_one_model(found_on(reproducer.shelf, runs)))
    by_itself = collect_curves(runs, reproducer.shelf)
    worst = together.loc[together["attack"] == "worst-of"].set_index("epsilon")["n_correct"]
    others = by_itself.groupby("epsilon")["n_correct"].min()
    assert (worst <= others).all()
    assert set(together["attack"]) == {"pgd2", "bpda2", "bpda2-smooth", "worst-of"}


def test_runs_that_are_set_beside_each_other_show_the_samples_that_all_have(reproducer, monkeypatch):
    reproducer("tiny", "--samples", 8)
    natural, nsq, missing = (tiny_run(STRONGER, name) for name in ("natural", "nsq", "sq"))
    whole = StoredRun.outcomes

    def outcomes(stored):
        rows = whole(stored)
        return rows.loc[rows["sample_index"] < 5] if stored.run == nsq else rows

    monkeypatch.setattr(StoredRun, "outcomes", outcomes)
    alike = collect_alike(found_on(reproducer.shelf, (natural, nsq, missing)))
    done = alike.loc[alike["state"] == "done"]
    assert set(done["defense"]) == {"natural", "nsq"}
    assert set(done["n"]) == {5}
    assert set(alike.loc[alike["state"] == "not run", "defense"]) == {"sq"}


def test_of_runs_taken_together_the_samples_that_all_share_are_told(reproducer):
    reproducer("tiny", "--samples", 8)
    runs = (tiny_run(STRONGER, "nsq"), EXTRA)
    found = found_on(reproducer.shelf, runs)
    extra = found[EXTRA]
    assert extra is not None
    extra.manifest["spec"]["samples"] = 5
    told = [
        [note for note in remarks(found, reproducer.shelf, together) if "test images only" in note]
        for together in (True, False)
    ]
    five, both = (f"Digits: the first {count} of 360 test images only." for count in ("5", "8 or 5"))
    assert told == [[five], [both]]


def test_runs_of_other_weights_are_not_taken_together(reproducer):
    reproducer("tiny", "--samples", 8)
    runs = (tiny_run(STRONGER, "nsq"), EXTRA)
    found = found_on(reproducer.shelf, runs)
    older = min(
        (stored for stored in found.values() if stored), key=lambda stored: stored.manifest["created"]
    )
    older.manifest["defenses"]["nsq"]["weights_sha256"] = "f" * 64
    one = of_one_model(found)
    assert [run for run, kept in one.items() if kept is None] == [older.run]
    together = collect_together(one)
    states = together.loc[together["attack"].isin(older.run.attacks), "state"]
    assert set(states) == {"not run"}
    assert any("Not run" in note for note in remarks(one, reproducer.shelf))


def test_a_model_with_other_options_is_not_taken():
    assert find_trained(Training("digits", "nsq"), None) is not None
    card = find_model("digits", "nsq").card
    assert find_trained(Training("digits", "nsq", (("levels", card.options["levels"]),)), None) is not None
    assert find_trained(Training("digits", "nsq", (("levels", 7),)), None) is None
    assert find_trained(Training("digits", "nsq", seed=5), None) is None


def test_the_command_names_what_differs():
    training = Training("cifar10", "nsq", (("levels", 2), ("alpha", 255.0)), seed=1, folder="nsq-k2")
    assert training.command() == (
        "robbench train --defense nsq --dataset cifar10 --set levels=2 --set alpha=255 --seed 1 "
        "--models-dir models/nsq-k2"
    )


def test_pretrained_weights_are_adopted_and_fine_tuned():
    natural, nsq = targets.get("table1").runs[0].training, targets.get("table1").runs[1].training
    assert natural.command() == "robbench adopt --dataset imagenet"
    assert nsq.command() == "robbench train --defense nsq --dataset imagenet --start natural"
    criteria = {(run.training.defense, run.protocol, run.criterion) for run in targets.get("table1").runs}
    assert len(criteria) == 6


def test_the_papers_numbers_stand_beside_ours():
    data = made_up_curves(["nsq"], ["pgd100"], n=1000)
    data = data.assign(protocol=PAPER, state="done")
    ours = data["robust_accuracy"].iloc[-1]
    rows = [dict(zip(paper_table(data).columns, row, strict=True)) for row in paper_table(data).rows]
    assert len(rows) == len(PAPER_POINTS)
    mnist = next(
        row for row in rows if row["dataset"] == "MNIST" and row["attack of the paper"].startswith("PGD")
    )
    assert (mnist["dataset"], mnist["defense"]) == ("MNIST", "NSQ")
    assert mnist["ours"] == f"{100 * ours:.1f}"
    assert mnist["difference"] == signed(100 * (ours - 0.9849))
    others = [row for row in rows if row is not mnist]
    assert {row["ours"] for row in others} == {"not run"}


def test_of_several_runs_that_of_most_samples_counts():
    whole = made_up_curves(["nsq"], ["pgd100"], grid=(0.0, 0.3), n=5000)
    few = made_up_curves(["nsq"], ["pgd100"], n=100)
    for runs in ([whole, few], [few, whole]):
        table = paper_table(pd.concat(runs, ignore_index=True).assign(protocol=PAPER, state="done"))
        row = dict(zip(table.columns, table.rows[0], strict=True))
        assert row["n"] == "5,000"
        assert row["ours"] == f"{100 * whole['robust_accuracy'].iloc[-1]:.1f}"


def test_a_worst_on_fewer_samples_stands_where_it_counts_more_attacks():
    def worst(n: int, attacks: int) -> pd.DataFrame:
        jobs = "+".join(f"{number:04x}" for number in range(attacks))
        curve = made_up_curves(["nsq"], ["pgd100"], n=n).assign(attack="worst-of", loss="", job_id=jobs)
        return curve.assign(protocol=STRONGER, state="done")

    table = paper_table(pd.concat([worst(50, 3), worst(100, 7), worst(5000, 4)], ignore_index=True))
    words = table.rows[0][-1]
    assert [part.partition(" of ")[2] for part in words.split("; ")] == [
        "5,000 under 4 attacks",
        "100 under 7 attacks",
    ]


def test_the_page_takes_up_the_numbers_of_every_target(tmp_path):
    shelf = Shelf(tmp_path)
    stated = [run for run in targets.get("numbers").runs if run.training.dataset == "mnist"]
    runs = (targets.get("table1").runs[0], stated[0])
    for run, dataset, epsilon in zip(runs, ("imagenet", "mnist"), (4 / 255, 0.3), strict=True):
        spec = {"eps_grid": [0.0, epsilon], "samples": 4, "attacks": list(run.attacks)}
        flags = {(run.training.defense, run.attacks[0]): until([1, 1, 2, 2], 2)}
        folder = shelf.run_folder(run, "0" * 16)
        make_run(folder, flags, (0.0, epsilon), spec=spec, dataset=dataset, strategy="independent")
    everything = [run for target in targets.names() for run in targets.get(target).runs]
    data = papers_curves(ordinary_runs(everything), shelf)
    ours = {row[:4]: row[5:7] for row in paper_table(data).rows}
    assert ours["ImageNet", "Natural", "PGD, 20 steps", "4/255"] == ("50.0", "4")
    assert ours["MNIST", "NSQ", "PGD, 100 steps", "0.3"] == ("50.0", "4")


def test_a_dataset_does_not_hide_anothers_numbers():
    grid = (0.0, 4 / 255, 8 / 255)
    curves = [made_up_curves(["nsq"], ["pgd20"], grid, dataset=name) for name in ("cifar10", "imagenet")]
    table = paper_table(pd.concat(curves, ignore_index=True).assign(protocol=PAPER, state="done"))
    ours = {row[:3]: row[5] for row in table.rows}
    assert "not run" not in {ours[name, "NSQ", "PGD, 20 steps"] for name in ("CIFAR-10", "ImageNet")}


def test_the_speed_up_is_measured_per_iteration():
    row = dict.fromkeys(COLUMNS, "") | {
        "dataset": "mnist",
        "batch_size": 10,
        "test_samples": 100,
        "clean_accuracy": 0.5,
        "device": "here",
    }
    nsq = {"defense": "nsq", "iterations": 100, "recipe_iterations": 100, "seconds": 10.0}
    pgd = {"defense": "pgd-at", "iterations": 50, "recipe_iterations": 100, "seconds": 60.0}
    passes = [{"n_forward": 1000, "n_backward": 1000}, {"n_forward": 5500, "n_backward": 5500}]
    table = pd.DataFrame([row | nsq | passes[0], row | pgd | passes[1]])
    table.loc[1, "deviations"] = "steps 7 instead of 40"
    other, note = cost_notes(table)
    assert other == "PGD-AT on MNIST: steps 7 instead of 40."
    assert "12.0 times as long" in note
    assert "11.0 times as many passes" in note
    assert "24" in note
    assert [row[1] for row in cost_table(table).rows] == ["NSQ", "PGD-AT"]


def test_adopted_weights_have_no_cost():
    row = dict.fromkeys(COLUMNS, "") | {"dataset": "imagenet", "test_samples": 100, "clean_accuracy": 0.5}
    trained = row | {"iterations": 100, "recipe_iterations": 100, "batch_size": 10, "seconds": 10.0}
    trained |= {"n_forward": 1000, "n_backward": 1000}
    adopted = trained | dict.fromkeys(("iterations", "seconds", "n_forward", "n_backward"), 0)
    rows = [adopted | {"defense": "natural"}, *(trained | {"defense": name} for name in ("nsq", "pgd-at"))]
    shown = [line[3:7] for line in cost_table(pd.DataFrame(rows)).rows]
    assert shown == [("", "", "", ""), *[("100", "100", "10", "2.0")] * 2]
    assert len(cost_notes(pd.DataFrame(rows))) == 1
    rows[1]["seconds"] = 0
    assert cost_notes(pd.DataFrame(rows)) == [], "what took no time by the clock makes no ratio"


@pytest.mark.parametrize(
    ("stopped_at", "planned", "shown", "made"),
    [(None, (40, 16), 640, (40, 16)), (None, (3, 1000), 300, (3, 100)), (12, (40, 16), 192, (12, 16))],
    ids=["whole", "fewer images than a batch", "ended by its collapse"],
)
def test_a_training_has_the_length_that_was_made(tmp_path, stopped_at, planned, shown, made):
    watch = stopped_at and WatchRecord(0.3, 20, (Look(stopped_at, 4.0, 0.9, 0.9, 0.0),), stopped=True)
    card = find_model("digits", "nsq").card
    plan = {**card.plan, "iterations": planned[0], "batch_size": planned[1]}
    card = replace(card, plan=plan, watch=watch, samples=shown, n_forward=shown, n_backward=shown)
    record_trainings([(Training("digits", "nsq"), StoredModel(tmp_path, card))], Shelf(tmp_path))
    (row,) = Shelf(tmp_path).trainings().to_dict("records")
    assert (row["iterations"], row["batch_size"]) == made
    assert cost_table(Shelf(tmp_path).trainings()).rows[0][6] == "2.0"


def test_a_training_is_called_by_its_title():
    row = dict.fromkeys(COLUMNS, 1) | {"dataset": "digits", "defense": "n-fgsm", "title": "N-FGSM"}
    ((_, title, *_),) = cost_table(pd.DataFrame([row | {"folder": "epsilon-16", "device": "here"}])).rows
    assert title == "N-FGSM (epsilon-16)"


def test_trainings_with_the_same_deviations_share_a_remark():
    row = dict.fromkeys(COLUMNS, 1) | {
        "dataset": "digits",
        "title": "",
        "folder": "",
        "deviations": "steps 2",
    }
    rows = [row | {"defense": "natural", "folder": ""}, row | {"defense": "sq", "folder": "k2"}]
    assert cost_notes(pd.DataFrame(rows)) == ["Natural, SQ (k2) on Digits: steps 2."]


def test_a_training_under_a_budget_deviates_by_the_budget_it_had(tmp_path):
    ordinary = find_model("digits", "nsq").card
    plan = {**ordinary.plan, "iterations": 20, "held_out": 100}
    card = replace(ordinary, plan=plan, budget="epochs=1", samples=100)
    wanted = Training("digits", "nsq", budget="epochs=15", folder="one-budget")
    record_trainings([(wanted, StoredModel(tmp_path, card))], Shelf(tmp_path))
    (row,) = Shelf(tmp_path).trainings().to_dict("records")
    assert row["deviations"] == "budget epochs=1 instead of epochs=15"
    assert (row["iterations"], row["recipe_iterations"], row["altered"]) == (20, 0, "")
    record_trainings([(replace(wanted, budget=""), StoredModel(tmp_path, card))], Shelf(tmp_path))
    (row,) = Shelf(tmp_path).trainings().to_dict("records")
    assert row["deviations"].startswith("budget epochs=1 instead of none")


def test_another_option_of_its_own_makes_it_another_method(tmp_path):
    ordinary = find_model("digits", "nsq").card
    levels = ordinary.options["levels"]
    card = replace(ordinary, options={**ordinary.options, "levels": levels + 1}, network="madry_mnist")
    record_trainings([(Training("digits", "nsq"), StoredModel(tmp_path, card))], Shelf(tmp_path))
    (row,) = Shelf(tmp_path).trainings().to_dict("records")
    assert row["altered"] == f"levels {levels + 1} instead of {levels}"
    assert row["deviations"].startswith("network madry_mnist instead of ")
    assert row["deviations"].endswith(row["altered"])


def test_an_unknown_protocol_is_refused():
    with pytest.raises(Exception, match="protocol"):
        PaperRun(Training("digits", "nsq"), "strong", ("pgd2",), eps_grid=GRID)


def test_slots_tell_runs_apart():
    runs = [
        PaperRun(Training("imagenet", "nsq"), PAPER, ("pgd20",)),
        PaperRun(Training("imagenet", "nsq"), PAPER, ("pgd20",), criterion="top5"),
        PaperRun(Training("imagenet", "nsq"), PAPER, ("pgd20",), part="extra"),
        PaperRun(Training("imagenet", "nsq", folder="other"), PAPER, ("pgd20",)),
        PaperRun(Training("imagenet", "nsq"), STRONGER, ("pgd20",)),
    ]
    assert len(np.unique([run.slot for run in runs])) == len(runs)


def papers_run(
    shelf: Shelf, defense: str, survivors: int, first: int = 0, samples: int = 40, part: str = ""
) -> PaperRun:
    """A run of the paper's protocol on MNIST, of whose samples PGD leaves so many at the end."""
    run = PaperRun(Training("mnist", defense), PAPER, ("pgd100",), part=part)
    grid = (0.0, 0.075, 0.3)
    flags = until([3] * survivors + [2] * (samples - survivors), len(grid))
    folder = shelf.run_folder(run, "0" * 16)
    make_run(folder, {(defense, "pgd100"): flags}, grid, first, dataset="mnist", strategy="independent")
    manifest = json.loads((folder / RUN).read_text(encoding="utf-8"))
    manifest["spec"] = {"eps_grid": list(grid)}
    (folder / RUN).write_text(json.dumps(manifest), encoding="utf-8")
    return run


def test_what_the_paper_says_of_two_defenses_is_a_paired_difference_of_ours(tmp_path):
    shelf = Shelf(tmp_path)
    runs = [papers_run(shelf, "nsq", 30), papers_run(shelf, "pgd-at", 10)]
    rows = claims_table(runs, shelf).rows
    assert rows[0][1] == "PGD, 100 steps"
    assert rows[0][-1].startswith("+50.0 (+")
    assert rows[0][-1].endswith("), p < 0.001, n = 40")
    assert {row[-1] for row in rows[1:]} == {"not run"}


def test_a_difference_is_taken_from_the_runs_that_share_most_samples(tmp_path):
    shelf = Shelf(tmp_path)
    whole = [papers_run(shelf, "nsq", 60, samples=80, part="stated")]
    few = [papers_run(shelf, "nsq", 30), papers_run(shelf, "pgd-at", 10)]
    assert claims_table(whole + few, shelf).rows[0][-1].endswith("n = 40"), "of PGD-AT there are but 40"
    whole.append(papers_run(shelf, "pgd-at", 40, samples=80, part="stated"))
    assert claims_table(whole + few, shelf).rows[0][-1].startswith("+25.0")
    assert claims_table(few + whole, shelf).rows[0][-1].endswith("n = 80")


def test_differences_on_other_samples_are_not_stated(tmp_path):
    shelf = Shelf(tmp_path)
    runs = [papers_run(shelf, "nsq", 30), papers_run(shelf, "pgd-at", 10, first=5)]
    assert claims_table(runs, shelf).rows[0][-1] == "on different samples"
