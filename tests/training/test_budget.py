import pytest

from robbench.defenses import defenses
from robbench.errors import UserError
from robbench.training import Budget, parse_budget, train
from robbench.training.budget import steps_of_epochs
from robbench.training.checkpoint import checkpoint_path, load_checkpoint
from robbench.training.request import settle
from tests.training.small import interrupted, request


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("epochs=15", Budget("epochs", 15.0)),
        (" seconds = 1.5 ", Budget("seconds", 1.5)),
        ("epochs=0.5", Budget("epochs", 0.5)),
    ],
)
def test_budgets_are_read(text, budget):
    assert parse_budget(text) == budget
    assert parse_budget(str(budget)) == budget


@pytest.mark.parametrize(
    ("amount", "text"),
    [(15.0, "15"), (120.0, "120"), (1e6, "1e+06"), (0.5, "0.5"), (1.2345678, "1.2345678"),
     (1234567.0, "1234567"), (0.1 + 0.2, "0.30000000000000004"), (1e-7, "1e-07")],
)  # fmt: skip
def test_a_budget_is_written_exactly_and_a_round_one_as_ever(amount, text):
    assert str(Budget("epochs", amount)) == f"epochs={text}"
    assert parse_budget(f"epochs={text}").amount == amount


def test_the_largest_budget_still_makes_iterations(tmp_path):
    assert settle(request(tmp_path, budget=Budget("epochs", 1e9))).plan.iterations == 6 * 10**9


@pytest.mark.parametrize(
    "text",
    ["", "epochs", "epochs=", "=3", "15", "hours=2", "epochs=0", "seconds=0", "epochs=-1", "seconds=inf",
     "seconds=nan", "epochs=many", "epochs=1e999", "epochs=1e308", "seconds=1e308", "seconds=1000000001"],
)  # fmt: skip
def test_a_budget_of_nothing_is_refused_with_an_example(text):
    with pytest.raises(UserError, match="budget") as caught:
        parse_budget(text)
    assert "--budget epochs=15" in caught.value.hint


def test_epochs_are_passes_over_the_images_that_are_trained_on(tmp_path):
    # 100 images in batches of 16 make 6 steps; without 10 held-out ones, 5.
    for held_out, steps in ((0, 12), (10, 10)):
        asked = request(tmp_path, budget=Budget("epochs", 2.0), plan={"held_out": held_out})
        assert settle(asked).plan.iterations == steps
    with pytest.raises(UserError, match="less than one of the 6 steps"):
        settle(request(tmp_path, budget=Budget("epochs", 0.01)))
    assert steps_of_epochs(0.26, 6) == 2


def test_a_replayed_batch_spends_the_epochs_of_a_fresh_one(tmp_path):
    plans = [
        settle(request(tmp_path, name, budget=Budget("epochs", 8.0), watch=False)).plan
        for name in ("natural", "free-at", "pgd-at")
    ]
    assert len(set(plans)) == 1


def test_under_a_budget_every_defense_has_the_datasets_plan(tmp_path):
    budget = Budget("epochs", 3.0)
    plans = {
        name: settle(request(tmp_path, name, budget=budget, watch=True)).plan for name in defenses.names()
    }
    assert len(set(plans.values())) == 1


def test_a_budget_and_a_number_of_iterations_contradict_each_other(tmp_path):
    with pytest.raises(UserError, match=r"budget epochs=3 says how long .* and so does iterations=7"):
        settle(request(tmp_path, budget=Budget("epochs", 3.0), plan={"iterations": 7}))


def test_seconds_become_iterations_that_the_card_tells(tmp_path):
    card = train(request(tmp_path, budget=Budget("seconds", 0.5)))
    iterations = card.plan["iterations"]
    assert card.budget == "seconds=0.5"
    assert iterations >= 1
    assert card.samples == iterations * 16
    # Asked for again it is there; nothing is measured anew, which would give another number.
    assert train(request(tmp_path, budget=Budget("seconds", 0.5))) == card
    for amount in (0.7, 0.50000001):
        with pytest.raises(UserError, match=rf"budget is seconds=0.5 there and seconds={amount} here"):
            train(request(tmp_path, budget=Budget("seconds", amount)))


def test_what_the_measured_steps_did_is_thrown_away(tmp_path):
    timed = train(request(tmp_path / "timed", budget=Budget("seconds", 0.3)))
    plain = train(request(tmp_path / "plain", plan={"iterations": timed.plan["iterations"]}))
    assert timed.sha256 == plain.sha256
    assert (timed.n_forward, timed.n_backward) == (plain.n_forward, plain.n_backward)


def test_an_interrupted_training_keeps_the_iterations_that_were_measured(tmp_path):
    asked = request(tmp_path / "timed", budget=Budget("seconds", 3.0), checkpoint_seconds=0.0)
    checkpoint = load_checkpoint(interrupted(asked), asked.device)
    card = train(asked)
    assert card.plan["iterations"] == checkpoint.iterations > checkpoint.step
    plain = train(request(tmp_path / "plain", plan={"iterations": checkpoint.iterations}))
    assert card.sha256 == plain.sha256
    assert not checkpoint_path(settle(asked).weights).exists()
