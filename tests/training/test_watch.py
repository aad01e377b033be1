from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from robbench.defenses import Defense
from robbench.errors import UserError
from robbench.models import Look, WatchRecord, find_model
from robbench.models.watch_record import find_collapse, read_watch
from robbench.models.weights import read_weights
from robbench.training import completing, train
from robbench.training import watch as watching
from robbench.training.batches import Batches, held_out_indices
from robbench.training.plan import MOST_HELD_OUT
from robbench.training.watch import MOST_LOOKS, Watch, WatchTerms
from tests.oracles import SmoothNet
from tests.training.small import interrupted, request, split

CPU = torch.device("cpu")


def look(step: int, one_step: float, pgd: float) -> Look:
    return Look(step, step / 10, 0.9, one_step, pgd)


HEALTHY = [look(10, 0.30, 0.20), look(20, 0.40, 0.30), look(30, 0.45, 0.35), look(40, 0.50, 0.40)]
COLLAPSED = [*HEALTHY, look(50, 0.90, 0.10), look(60, 0.99, 0.00)]


def test_a_collapse_is_pgd_under_half_of_its_best_while_one_step_rises():
    collapse = find_collapse(COLLAPSED, 1000, 10)
    assert collapse is not None
    assert (collapse.best.step, collapse.found.step) == (40, 50)
    assert find_collapse(HEALTHY, 1000, 10) is None
    assert find_collapse([], 1000, 10) is None


@pytest.mark.parametrize(
    "last",
    [look(50, 0.9, 0.20), look(50, 0.50, 0.10), look(50, 0.30, 0.05)],
    ids=["half is not under half", "one step as before", "both are lost"],
)
def test_what_is_no_collapse(last):
    assert find_collapse([*HEALTHY, last], 1000, 10) is None


def test_a_best_that_guessing_explains_is_no_best():
    looks = [look(10, 0.10, 0.12), look(20, 0.40, 0.05)]
    assert find_collapse(looks, 100, 10) is None
    assert find_collapse(looks, 10_000, 10) is not None
    assert find_collapse([look(10, 0.1, 0.5), look(20, 0.4, 0.25)], 10_000, 2) is None


def test_robustness_that_never_came_is_a_collapse_too():
    looks = [look(10, 0.30, 0.06), look(20, 0.60, 0.04), look(30, 0.70, 0.01)]
    collapse = find_collapse(looks, 1000, 10)
    assert collapse is not None
    assert collapse.found.step == 20
    assert not collapse.recovered
    assert find_collapse([look(10, 0.60, 0.0)], 1000, 10) is not None
    # A network trained on natural images: one step breaks it as well.
    assert find_collapse([look(10, 0.15, 0.05), look(20, 0.20, 0.0)], 1000, 10) is None


def test_a_collapse_that_is_over_has_recovered():
    looks = [*COLLAPSED, look(70, 0.5, 0.35)]
    collapse = find_collapse(looks, 1000, 10)
    assert collapse is not None
    assert collapse.recovered
    assert WatchRecord(0.3, 1000, tuple(looks), collapse).verdict == "collapsed at epoch 5, recovered"


def test_who_is_back_at_what_guessing_gets_has_not_recovered():
    looks = [look(10, 0.30, 0.21), look(20, 0.60, 0.04), look(30, 0.70, 0.12)]
    collapse = find_collapse(looks, 143, 10)
    assert collapse is not None
    assert not collapse.recovered
    assert find_collapse(looks, 10_000, 10) == replace(collapse, recovered=True)


def test_a_record_says_how_it_went_and_survives_json():
    record = WatchRecord(0.3, 1000, tuple(COLLAPSED), find_collapse(COLLAPSED, 1000, 10))
    assert record.verdict == "collapsed at epoch 5"
    assert replace(record, stopped=True).verdict == "collapsed at epoch 5, stopped"
    assert WatchRecord(0.3, 1000, tuple(HEALTHY)).verdict == "no collapse"
    assert WatchRecord(0.3, 1000, tuple(HEALTHY[-1:])).verdict == "no collapse in one look"
    import dataclasses
    import json

    assert read_watch(json.loads(json.dumps(dataclasses.asdict(record)))) == record


def literal_accuracies(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, epsilon: float):
    """Clean and one-step accuracy, written out."""
    points = images.clone().requires_grad_(True)
    functional.cross_entropy(model(points), labels).backward()
    assert points.grad is not None
    moved = (images + epsilon * points.grad.sign()).clamp(0, 1)
    with torch.no_grad():
        return [(model(seen).argmax(1) == labels).float().mean().item() for seen in (images, moved)]


def watch_on(defense: Defense, epsilon: float, held_out: int = 60, seed: int = 0) -> tuple[Watch, WatchTerms]:
    dataset = split(100, 0)
    terms = WatchTerms(dataset, held_out_indices(100, held_out), epsilon, 5, 40, seed)
    return Watch(defense, terms, CPU), terms


def trained() -> nn.Module:
    """A network that knows the made-up classes."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.Tanh(), nn.Linear(32, 10))
    dataset = split(100, 0)
    images, labels, _ = dataset.samples(torch.arange(100))
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(80):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    network.zero_grad(set_to_none=True)
    return network


def test_a_look_is_what_a_literal_evaluation_finds():
    network = trained()
    watch, terms = watch_on(Defense(network), 0.3)
    network.train()
    watch.look(5)
    seen = watch.record.looks[0]
    network.eval()
    images, labels, _ = terms.dataset.samples(terms.held_out)
    clean, one_step = literal_accuracies(network, images, labels, 0.3)
    assert (seen.clean, seen.one_step) == (pytest.approx(clean), pytest.approx(one_step))
    assert seen.pgd <= seen.one_step < seen.clean
    assert (seen.step, seen.epoch) == (5, 1.0)
    assert watch.record.n_forward == 60 * (3 + 1 + 10)
    assert watch.record.n_backward == 60 * (1 + 10)
    assert watch.record.seconds > 0


def test_the_attacks_stay_in_box_and_ball_and_cost_the_network_nothing():
    network = trained()
    watch, terms = watch_on(Defense(network), 0.1)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    images, labels, _ = terms.dataset.samples(terms.held_out)
    generator = torch.Generator().manual_seed(0)
    for seen in (watch._one_step(network, images, labels), watch._pgd(network, images, labels, generator)):
        assert 0.05 < (seen - images).abs().max() <= 0.1 + 1e-6
        assert 0 <= seen.min() <= seen.max() <= 1
    network.load_state_dict(before)
    watch.look(5)
    assert all(module.training for module in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())


def test_a_quantizer_does_not_hide_its_network_from_the_watch():
    class Threshold(nn.Module):
        def forward(self, images):
            return (images > 0.3).float()

    defense = Defense(trained(), layer=Threshold())
    watch, _ = watch_on(defense, 0.2)
    watch.look(5)
    assert watch.record.looks[0].pgd < watch.record.looks[0].clean


def test_looks_come_at_the_ends_of_epochs_and_are_not_too_many():
    terms = WatchTerms(split(100, 0), held_out_indices(100, 2), 0.1, 5, 1000, 0)
    many = Watch(Defense(SmoothNet()), terms, CPU)
    steps = [step for step in range(1, 1001) if many.due(step)]
    assert len(steps) == MOST_LOOKS
    assert all(step % 5 == 0 for step in steps)
    position, visited = 0, []
    while position < 1000:
        position += many.steps_to_next(position)
        visited.append(position)
    assert visited == steps
    few = Watch(Defense(SmoothNet()), terms._replace(iterations=13), CPU)
    assert [step for step in range(1, 14) if few.due(step)] == [5, 10, 13]


def test_looks_at_many_images_are_further_apart_so_that_they_cost_little():
    terms = WatchTerms(split(100, 0), held_out_indices(100, 10), 0.1, 5, 103, 0)
    rare = Watch(Defense(SmoothNet()), terms, CPU)
    # 40 images shown for each of 10, of which an epoch shows 90: every 5 epochs of 5 steps.
    assert [step for step in range(1, 104) if rare.due(step)] == [25, 50, 75, 100, 103]
    # The splits that are trained on in earnest are looked at after every epoch.
    for images in (60_000, 50_000):
        assert images - MOST_HELD_OUT >= MOST_HELD_OUT * watching.SHOWN


def test_held_out_images_are_in_no_batch_and_the_same_for_every_seed(tmp_path):
    from robbench.training.request import settle

    dataset = split(100, 0)
    plan = settle(request(tmp_path, watch=True)).plan
    assert plan.held_out == 10
    hidden = dataset.samples(held_out_indices(100, 10)).images.flatten(1)
    for seed in (0, 1):
        batches = Batches(dataset, replace(plan, augment=False), seed, CPU)
        shown = torch.cat([batches.at(step, torch.Generator()).images for step in range(5)]).flatten(1)
        assert len(shown.unique(dim=0)) == 80
        assert not (shown[:, None] == hidden[None]).all(2).any()


def test_a_recipe_says_whether_it_is_watched_and_the_user_decides(tmp_path):
    from robbench.training.request import settle

    def held_out(defense, **changes):
        return settle(request(tmp_path, defense, **changes)).plan.held_out

    assert (held_out("natural"), held_out("fast-at")) == (0, 10)
    assert (held_out("natural", watch=True), held_out("fast-at", watch=False)) == (10, 0)
    assert held_out("natural", plan={"held_out": 25}) == 25
    assert held_out("fast-at", plan={"held_out": 0}) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plan": {"held_out": 51}}, "at most half can be held out"),
        ({"plan": {"held_out": -1}}, "at most half can be held out"),
        ({"plan": {"held_out": 5}, "watch": False}, "not to be watched, and 5 images"),
        ({"plan": {"held_out": 0}, "watch": True}, "to be watched, and 0 images"),
        ({"plan": {"stop_on_collapse": "true"}}, "nobody watches cannot be stopped"),
    ],
)
def test_wishes_that_contradict_each_other(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        train(request(tmp_path / "models", **changes))
    assert not (tmp_path / "models").exists()


@pytest.fixture
def every_epoch(monkeypatch):
    """A look after every epoch, however small."""
    monkeypatch.setattr(watching, "SHOWN", 0)


@pytest.mark.usefixtures("every_epoch")
def test_a_watched_training_records_its_looks_and_counts_them_apart(tmp_path):
    plan = {"held_out": 20, "iterations": 23}
    card = train(request(tmp_path, plan=plan))
    assert card.watch is not None
    assert [seen.step for seen in card.watch.looks] == [5, 10, 15, 20, 23]
    assert card.watch.epsilon == 0.3
    assert (card.n_forward, card.n_backward, card.samples) == (23 * 16, 23 * 16, 23 * 16)
    assert card.watch.n_forward == 5 * 20 * 14
    assert find_model("digits", "natural", tmp_path).card == card


def test_the_watch_looks_at_the_radius_that_the_defense_trains_at(tmp_path):
    card = train(request(tmp_path, "fast-at", options={"epsilon": 0.05}, plan={"iterations": 6}))
    assert card.watch is not None
    assert card.watch.epsilon == 0.05


@pytest.mark.usefixtures("every_epoch")
def test_an_interruption_changes_nothing_of_what_is_seen(tmp_path):
    plan = {"held_out": 20, "averaging": 0.9}
    expected = train(request(tmp_path / "undisturbed", plan=plan))
    asked = request(tmp_path / "again", plan=plan)
    interrupted(asked, 12)
    card = train(asked)
    assert card.sha256 == expected.sha256
    assert card.watch is not None
    assert expected.watch is not None
    assert replace(card.watch, seconds=0.0) == replace(expected.watch, seconds=0.0)


@pytest.mark.usefixtures("every_epoch")
def test_the_watch_looks_at_the_average_that_is_stored(tmp_path, monkeypatch):
    seen = []

    def note_weights(self, exact, *_):
        seen.append({name: tensor.clone() for name, tensor in exact.model.state_dict().items()})
        return [0.9, 0.5, 0.5]

    monkeypatch.setattr(Watch, "_accuracies", note_weights)
    train(request(tmp_path, plan={"held_out": 20, "averaging": 0.9}))
    stored = read_weights(find_model("digits", "natural", tmp_path))
    assert all(torch.equal(stored[name], tensor.half().float()) for name, tensor in seen[-1].items())


class FakeLooks:
    """Replaces what is seen by a collapse at the fourth look."""

    def __init__(self, monkeypatch):
        seen = iter([[0.9, 0.3, 0.3], [0.9, 0.4, 0.4], [0.9, 0.5, 0.5], *[[0.9, 0.9, 0.0]] * 5])
        monkeypatch.setattr(Watch, "_accuracies", lambda self, *_: next(seen))


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("stop", [False, True])
def test_a_collapse_is_said_recorded_and_ends_the_training_if_asked(tmp_path, monkeypatch, stop):
    FakeLooks(monkeypatch)
    notices = []
    observer = completing.TrainingObserver
    plan = {"held_out": 40, "iterations": 20, "stop_on_collapse": str(stop)}

    class Listener:
        def on_start(self, step, total): ...
        def on_progress(self, step, total, loss, accuracy): ...
        def on_notice(self, text):
            notices.append(text)

    assert issubclass(Listener, observer)
    card = train(request(tmp_path, "fast-at", plan=plan), Listener())
    assert card.collapsed
    assert card.watch is not None
    assert card.watch.collapse is not None
    assert card.watch.collapse.found.step == 12  # 60 images in batches of 16 make 3 steps
    assert len(notices) == 1
    assert "fast-at collapsed at epoch 4" in notices[0]
    assert "0.0 % under PGD (best, at epoch 3: 50.0 %)" in notices[0]
    assert card.watch.stopped == stop
    assert card.samples == 16 * (12 if stop else 20)
    # The model that was stopped is the one asked for: asked again, it is there.
    assert train(request(tmp_path, "fast-at", plan=plan)) == card
    with pytest.raises(UserError, match="stop_on_collapse is"):
        train(request(tmp_path, "fast-at", plan={**plan, "stop_on_collapse": str(not stop)}))


@pytest.mark.usefixtures("every_epoch")
def test_a_collapse_at_the_last_step_stops_nothing(tmp_path, monkeypatch):
    FakeLooks(monkeypatch)
    plan = {"held_out": 40, "iterations": 12, "stop_on_collapse": "true"}
    card = train(request(tmp_path, "fast-at", plan=plan))
    assert card.collapsed
    assert card.watch is not None
    assert not card.watch.stopped
