import numpy as np
import pytest
import torch
from torch import nn

from robbench.attacks.gradient import FGSM, PGD
from robbench.attacks.noise import Noise
from robbench.defenses import Defense
from robbench.defenses.soft_quantization import SoftQuantization
from robbench.sweep.attempts import brief_steps
from robbench.sweep.strategies import get_strategy
from robbench.threat import Ball, get_norm
from tests.oracles import ConstantModel, RoughAtBlack, SmoothNet, critical_epsilon, linear_oracle
from tests.sweep.sweeping import GRID, sweep

ATTACKS = [FGSM(), PGD(steps=20), PGD(steps=20, loss="cw"), PGD(steps=7, random_start=False)]


def _exact(model, images, labels, norm="linf", grid=GRID):
    """What a perfect attack finds, and which samples lie too near a grid point for float32 to tell."""
    critical = critical_epsilon(model, images, labels, norm).numpy()
    expected = np.array(grid) >= critical[:, None]
    near = (np.abs(np.array(grid) - critical[:, None]) < 2e-6).any(1)
    return expected, near


@pytest.mark.parametrize("strategy", ["independent", "survivors", "search", "search3"])
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_finds_the_exact_critical_epsilon_of_a_linear_model(attack, strategy):
    model, images, labels = linear_oracle(count=150)
    expected, near = _exact(model, images, labels)
    assert expected.any()
    assert not expected.all()
    found = sweep(model, images, labels, attack, strategy=strategy).broken
    assert (found[~near] == expected[~near]).all()


@pytest.mark.parametrize("strategy", ["independent", "survivors", "search"])
def test_finds_the_exact_critical_epsilon_in_l2(strategy):
    grid = tuple(np.linspace(0, 1.2, 13).tolist())
    # Pixels away from the box: there the steepest direction leads straight to the boundary.
    model, images, labels = linear_oracle(count=80, low=0.35, high=0.65)
    expected, near = _exact(model, images, labels, "l2", grid)
    attack = PGD(steps=20, random_start=False)
    found = sweep(model, images, labels, attack, strategy=strategy, norm="l2", grid=grid).broken
    assert expected[:, -1].mean() > 0.2
    assert (found[~near] == expected[~near]).all()


def test_many_classes_need_the_margin_loss_and_it_finds_what_cross_entropy_does():
    model, images, labels = linear_oracle(classes=5, count=100)
    expected, near = _exact(model, images, labels)
    found = sweep(model, images, labels, PGD(steps=40, loss="cw")).broken
    # Never beyond the exact answer; and close to it, though the nearest class may change on the way.
    assert not (found & ~expected)[~near].any()
    assert (found == expected)[~near].mean() > 0.97


@pytest.mark.parametrize("strategy", ["independent", "survivors"])
@pytest.mark.parametrize("attack", [*ATTACKS, Noise(steps=5), PGD(steps=3, restarts=3)], ids=str)
def test_a_constant_model_is_never_broken(attack, strategy):
    images = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([1] * 8 + [0, 2])
    swept = sweep(ConstantModel(), images, labels, attack, strategy=strategy)
    assert not swept.broken[:8].any()
    assert np.isinf(swept.distance[:8]).all()
    # Clean errors are broken everywhere, at distance 0, after one forward pass, under every attack.
    assert swept.broken[8:].all()
    assert (swept.distance[8:] == 0).all()
    assert (swept.n_forward[8:] == 1).all()
    assert (swept.n_backward[8:] == 0).all()


def test_every_draw_of_noise_counts_also_where_each_epsilon_stands_alone():
    model, images, labels = linear_oracle(count=100)
    left = [
        1 - sweep(model, images, labels, Noise(steps=steps), strategy="independent").broken[:, -1].mean()
        for steps in (1, 100)
    ]
    assert left[1] < left[0] - 0.05, "the last draw alone is no more than one"
    thorough = sweep(model, images, labels, Noise(steps=100)).broken[:, -1]
    assert abs((1 - left[1]) - thorough.mean()) < 0.05


@pytest.mark.parametrize("strategy", ["survivors", "search"])
@pytest.mark.parametrize("attack", [PGD(steps=10), PGD(steps=5, restarts=2), Noise(steps=10)], ids=str)
def test_batch_size_order_and_windows_change_nothing(attack, strategy):
    model = SmoothNet()
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = model.eval()(images).argmax(1)
    whole = sweep(model, images, labels, attack, strategy=strategy, batch_size=64)
    assert whole.broken[:, -1].mean() > 0.1
    shuffled = torch.randperm(40, generator=torch.Generator().manual_seed(2))
    for changed in (
        sweep(model, images, labels, attack, strategy=strategy, batch_size=7),
        sweep(model, images, labels, attack, strategy=strategy, batch_size=3),
        sweep(model, images, labels, attack, strategy=strategy, window=13),
        sweep(model, images, labels, attack, strategy=strategy, order=shuffled),
    ):
        # Up to ties in floating point, which a batch of another size may break differently.
        assert (changed.broken != whole.broken).any(1).sum() <= 1
        different = ~np.isclose(changed.distance, whole.distance, atol=1e-6, rtol=0)
        assert different.sum() <= 1


def test_survivors_never_claims_more_robustness_than_independent():
    model = SmoothNet()
    images = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = model.eval()(images).argmax(1)
    survivors = sweep(model, images, labels, PGD(steps=10))
    independent = sweep(model, images, labels, PGD(steps=10), strategy="independent")
    assert not (independent.broken & ~survivors.broken).any()
    assert survivors.n_backward.sum() < 0.4 * independent.n_backward.sum()


@pytest.mark.parametrize("restarts", [1, 2])
def test_a_search_claims_no_survival_without_a_whole_attack_of_its_own(restarts):
    """At the radius below the critical one, the attack has failed exactly as a loop over ε would run it."""
    model = SmoothNet()
    images = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = model.eval()(images).argmax(1)
    attack = PGD(steps=10, restarts=restarts)
    search = sweep(model, images, labels, attack, strategy="search").broken
    alone = sweep(model, images, labels, attack, strategy="independent").broken
    critical = np.where(search.any(1), search.argmax(1), len(GRID))
    below = critical - 1
    assert (below > 0).sum() > 30
    assert not alone[np.arange(60), below].any()


def test_patience_goes_on_below_a_failure():
    survivors, hasty, patient = get_strategy("survivors"), get_strategy("search"), get_strategy("search2")
    tried, breaks = torch.tensor([9, 8, 7, 9, 1]), torch.tensor([10, 10, 8, 9, 3])
    # A failure at the top; two in a row; one below a break; a success; nothing smaller is left.
    assert hasty.following(tried, breaks, 10).tolist() == [-1, -1, -1, 8, -1]
    assert patient.following(tried, breaks, 10).tolist() == [8, -1, 6, 8, -1]
    assert survivors.following(tried, breaks, 10).tolist() == [-1, 9, -1, -1, -1]


def test_every_pass_is_counted_and_charged_to_a_sample():
    model = SmoothNet()
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = model.eval()(images).argmax(1)
    swept = sweep(model, images, labels, PGD(steps=10), batch_size=16)
    assert swept.n_forward.sum() == swept.target.counter.forward
    assert swept.n_backward.sum() == swept.target.counter.backward


def _unbreakable():
    layer = nn.Linear(64, 2)
    layer.weight.data *= 1e-3  # a gradient, but never a change of class
    layer.bias.data = torch.tensor([0.0, 1.0])
    return nn.Sequential(nn.Flatten(), layer)


def test_a_failure_costs_its_steps_and_a_success_few():
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels, attack = torch.ones(4, dtype=torch.int64), PGD(steps=5, random_start=False, relative_step=0.1)
    swept = sweep(_unbreakable(), images, labels, attack, grid=(0.0, 0.1))
    assert (swept.n_backward == 5).all()  # 5 steps; the last image needs no gradient
    assert (swept.n_forward == 7).all()  # and the clean pass


def test_a_stand_in_is_asked_alone_where_only_the_last_image_counts():
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels, attack = torch.ones(4, dtype=torch.int64), PGD(steps=5, random_start=False, relative_step=0.1)
    model, view, grid = _unbreakable(), _unbreakable(), (0.0, 0.1)
    alone = sweep(model, images, labels, attack, strategy="independent", view=view, grid=grid)
    assert (alone.n_forward == 1 + 5 + 1).all()  # the clean pass, the view's, and the judge's
    every = sweep(model, images, labels, attack, strategy="survivors", view=view, grid=grid)
    assert (every.n_forward == 1 + 5 + 5 + 1).all()  # and the exact model's, at every image
    assert (alone.n_backward == every.n_backward).all()


def test_a_search_makes_a_brief_attempt_before_the_whole_one():
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.ones(4, dtype=torch.int64)
    attack = PGD(steps=20, random_start=False, relative_step=0.01)
    once = sweep(_unbreakable(), images, labels, attack, strategy="search", grid=(0.0, 0.05, 0.1))
    assert (once.n_backward == 2 + 20).all()  # 2 long steps, then 20
    twice = sweep(_unbreakable(), images, labels, attack, strategy="search2", grid=(0.0, 0.05, 0.1))
    assert (twice.n_backward == 2 * (2 + 20)).all()


@pytest.mark.parametrize(("steps", "brief"), [(2, 1), (10, 2), (20, 2), (40, 3), (100, 5), (1000, 16)])
def test_a_brief_attempt_gets_as_far_in_fewer_steps(steps, brief):
    assert brief_steps(steps) == brief
    images = torch.full((2, 1, 8, 8), 0.5)
    ball = Ball(images, torch.tensor([0.1, 0.2]), get_norm("linf"))
    slope, keys = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.zeros(2).long()
    stride = torch.full((2,), steps / brief)
    long = PGD(steps=steps).move(images, slope, ball, keys, stride)
    assert torch.allclose(long, PGD(steps=brief).move(images, slope, ball, keys))


def test_brief_attempts_find_most_so_that_a_search_costs_little_more_than_its_failures():
    model, images, labels = linear_oracle(count=150)
    swept = sweep(model, images, labels, PGD(steps=100), strategy="search")
    smallest = swept.broken.any(1) & (swept.broken.argmax(1) <= 1)  # no smaller radius to fail at
    single = 100 * (~smallest).sum()
    assert swept.n_backward.sum() < 1.2 * single


def test_an_image_that_repeats_itself_ends_the_attempt():
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.ones(4, dtype=torch.int64)
    swept = sweep(ConstantModel(), images, labels, PGD(steps=100), grid=(0.0, 0.1))
    assert (swept.n_backward == 1).all()
    assert not swept.broken.any()
    # Random search moves without a gradient, so it must go on to the end.
    noise = sweep(ConstantModel(), images, labels, Noise(steps=20), grid=(0.0, 0.1))
    assert (noise.n_forward == 22).all()


class _Valley(nn.Module):
    """Of class 1, but for images just above the middle, around which PGD goes to and fro."""

    def forward(self, images):
        pixel = images.flatten(1)[:, 0]
        margin = (pixel - 0.5).abs() - 0.05 * (pixel > 0.5)
        return torch.stack([-margin, margin], dim=1)


def _last_of_all_steps(image, steps, length):
    for _ in range(steps):
        image = image + length * (0.5 - image).sign()
    return bool(image > 0.5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("steps", [2, 3, 4, 7, 40, 41])
def test_two_images_in_turn_end_the_attempt_at_the_one_that_would_be_last(steps, precision):
    start, length = 13 / 32, 1 / 16  # sums that are exact, also in bfloat16
    images = torch.full((1, 1, 1, 1), start)
    attack = PGD(steps=steps, relative_step=1 / 8, random_start=False)
    swept = sweep(
        _Valley(),
        images,
        torch.ones(1, dtype=torch.int64),
        attack,
        grid=(0.0, 0.5),
        strategy="independent",
        precision=precision,
    )
    assert swept.broken[0, 1] == _last_of_all_steps(torch.tensor(start), steps, length)
    assert swept.n_backward[0] <= 5


def test_restarts_break_what_one_run_does_not():
    model = SmoothNet()
    images = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    labels = model.eval()(images).argmax(1)
    once = sweep(model, images, labels, Noise(steps=1)).broken
    often = sweep(model, images, labels, Noise(steps=1, restarts=20)).broken
    assert not (once & ~often).any()
    assert often.sum() > once.sum()


class _Threshold(nn.Module):
    """Hard quantization: its own gradient is zero everywhere."""

    def forward(self, images):
        return (images > 0.5).float()


def test_views_reach_what_the_exact_gradient_does_not():
    model, images, labels = linear_oracle(count=80, low=0.3, high=0.7)
    defense = Defense(model, layer=_Threshold(), smooth=SoftQuantization(1, 4.0))
    labels = defense.model(images).argmax(1)
    attack, grid = PGD(steps=20, random_start=False), (0.0, 0.05, 0.1, 0.2)
    masked = sweep(defense.model, images, labels, attack, grid=grid)
    assert not masked.broken.any()
    for name in ("bpda", "substitute", "smooth"):
        found = sweep(defense.model, images, labels, attack, grid=grid, view=defense.view(name))
        assert found.broken[:, -1].mean() > 0.5, name


def test_success_is_judged_on_the_exact_model_not_on_the_view():
    # Under the view every image changes class; exactly, none ever does.
    model, images, labels = linear_oracle(count=20)
    exact = nn.Sequential(model, nn.Identity())
    held = _Holds(model, labels)
    swept = sweep(held, images, labels, PGD(steps=20), view=exact)
    assert not swept.broken.any()


class _Holds(nn.Module):
    """Gives the clean answer of a model for any image near one of its images."""

    def __init__(self, model, labels):
        super().__init__()
        self.model, self.labels = model, labels
        self.register_buffer("known", None)

    def forward(self, images):
        if self.known is None:
            self.known = images.clone()
        nearest = torch.cdist(images.flatten(1), self.known.flatten(1)).argmin(1)
        return nn.functional.one_hot(self.labels[nearest], 2).float()


class _NanOutside(nn.Module):
    """Sound on the clean images, NaN once the brightest pixel was pushed up."""

    def __init__(self, model, limit):
        super().__init__()
        self.model, self.limit = model, limit

    def forward(self, images):
        logits = self.model(images)
        return torch.where((images.flatten(1).amax(1) > self.limit).unsqueeze(1), torch.nan, logits)


def test_a_model_that_answers_nan_does_not_survive_by_it():
    model, images, labels = linear_oracle(count=20, low=0.2, high=0.6)
    swept = sweep(_NanOutside(model, 0.65), images, labels, PGD(steps=5), grid=(0.0, 0.1, 0.2))
    assert swept.broken[:, 2].all()


def test_a_pixel_of_infinite_slope_leaves_the_others_theirs_in_l2():
    model, images, _ = linear_oracle(low=0.35, high=0.65)
    images[:, :, ::2, ::2] = 0
    rough = RoughAtBlack(model)
    swept = sweep(rough, images, rough(images).argmax(1), PGD(steps=10), grid=(0.0, 4.0), norm="l2")
    assert swept.broken[:, 1].all()
