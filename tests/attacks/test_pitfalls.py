"""What the attack libraries do by themselves, and that robbench's adapters do not let it through.

Each test named ``test_<number>_...`` guards one known pitfall; where it is cheap it also shows that the
library still behaves so, and the guard is still needed. LA is test_library_attacks, AG test_libraries_agree.

    1  AutoAttack takes 10 steps, not 100                    test_1_...
    2  a changed eps does not reach AutoAttack's parts       test_2_...
    3  torchattacks' step is absolute                        test_3_...
    4  CW cannot move a pixel that is 0 or 1                 test_4_and_5_... (no CW adapter is offered)
    5  CW depends on who shares the batch                    test_4_and_5_...
    6  training mode comes back changed                      test_6_..., LA (leaves everything)
    7  normalization changes what the images mean            test_7_...
    8  the global generators are reseeded                    test_8_..., LA (leaves everything)
    9  clean errors attacked, gradients left in the weights  test_9_..., LA (leaves everything)
    10 packages that shadow others                           test_10_...
    11 foolbox's step cannot cross the ball                  test_11_..., LA (crosses the ball)
    12 bare assertion on the box; no float64                 test_12_...
    13 the model is moved to the first GPU                   test_13_...
    14 ART's success is a changed prediction                 test_14_...
    15 ART's defaults, batch size among them                 test_15_...
    16 ART predicts twice more than it needs                 test_16_... (it is counted)
    17 ART takes only Python numbers and ndarrays            test_17_...
    18 ART walks past the hooks of a Sequential              test_18_...
    19 ART never calls estimate_forward                      test_19_...
    22 CW-inf has four meanings                              AG (one loss everywhere)
    23 last, any or best iterate                             AG (the last one comes back)
    24 linf overshoots by rounding                           test_24_...
    25 mean and sum, modes, last batches                     AG (does not depend on the batch)

20 and 21 concern packages that robbench does not call.
Further ones that were found while writing the adapters have names without a number.
"""

import importlib
import logging
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from art.attacks.evasion import HopSkipJump, ProjectedGradientDescentPyTorch
from art.estimators.classification import PyTorchClassifier
from torch import Tensor, nn

from robbench.attacks import attacks
from robbench.attacks.art_adapter import estimator
from robbench.attacks.calling import fresh_images, stand_in
from robbench.attacks.torchattacks_autoattack import TorchattacksAutoAttack
from robbench.classifier import CountedModel, PassCounter
from robbench.defenses import Defense
from robbench.errors import UserError
from robbench.threat import TOLERANCE
from tests.attacks.problems import library_attack, problem
from tests.oracles import SmoothNet, brightness_oracle, critical_epsilon, linear_oracle

# The libraries ship no types.
foolbox: Any = importlib.import_module("foolbox")
torchattacks: Any = importlib.import_module("torchattacks")


@pytest.fixture
def net() -> SmoothNet:
    return SmoothNet().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(4))


@pytest.fixture
def labels(net: SmoothNet, images: Tensor) -> Tensor:
    return net(images).argmax(1).detach()


def art_classifier(model: nn.Module) -> Any:
    return PyTorchClassifier(
        model, nn.CrossEntropyLoss(), (1, 8, 8), nb_classes=5, clip_values=(0, 1), device_type="cpu"
    )


@pytest.mark.parametrize(("classes", "names"), [(12, 4), (5, 4), (3, 3), (2, 3)])
def test_1_autoattack_is_what_its_authors_run(classes, names, images) -> None:
    raw = torchattacks.AutoAttack(SmoothNet().eval(), eps=0.1)._autoattack.attacks
    assert [part.steps for part in raw[:3]] == [10, 10, 10]

    given = problem(
        SmoothNet(classes=classes), images, torch.zeros(6, dtype=torch.int64), 0.1, classes=classes, seed=5
    )
    parts = list(TorchattacksAutoAttack()._parts(stand_in(given), given))
    assert [type(part).__name__ for part in parts] == (
        ["APGD", "APGDT", "FAB", "Square"] if names == 4 else ["APGD", "FAB", "Square"]
    )
    assert [part.steps for part in parts[:-1]] == [100] * (names - 1)
    assert (parts[-1].n_queries, parts[-1].rescale_schedule) == (5000, False)
    assert {part.seed for part in parts} == {5}
    assert {part.n_target_classes for part in parts[1:-1]} == {min(9, classes - 1)}
    assert parts[0].loss == "ce"
    assert parts[-2].multi_targeted


def test_1_autoattack_hands_on_only_what_stands() -> None:
    model, images, labels = linear_oracle(classes=4, count=16)
    critical = critical_epsilon(model, images, labels, "linf").float()
    counter = PassCounter()
    given = problem(CountedModel(model, counter), images, labels, 0.5 * float(critical.min()), classes=4)
    small = TorchattacksAutoAttack(steps=5, queries=10)
    small.perturb(given)
    all_stand = counter.forward
    counter.forward = 0
    small.perturb(problem(CountedModel(model, counter), images, labels, 2 * float(critical.max()), classes=4))
    assert counter.forward < all_stand / 5


def test_2_autoattack_is_built_anew_for_every_epsilon(net, images, labels) -> None:
    raw = torchattacks.AutoAttack(net, eps=0.1)
    raw.eps = 0.3
    assert [part.eps for part in raw._autoattack.attacks] == [0.1] * 4

    attack = library_attack("autoattack@torchattacks")
    for epsilon in (0.05, 0.2):
        moved = (attack.perturb(problem(net, images, labels, epsilon)) - images).abs().max()
        assert moved == pytest.approx(epsilon, abs=1e-6)


def test_3_torchattacks_step_follows_epsilon() -> None:
    model, gray = brightness_oracle(0.75), torch.full((1, 1, 8, 8), 0.5)
    labels = torch.zeros(1, dtype=torch.int64)
    raw = torchattacks.PGD(model, eps=0.3, random_start=False)(gray, labels)
    assert (raw - gray).abs().max() == pytest.approx(20 / 255, abs=1e-6)

    attack = library_attack("pgd@torchattacks", steps=10, random_start=False)
    points = attack.perturb(problem(model, gray, labels, 0.3, classes=2))
    assert (points - gray).abs().max() == pytest.approx(0.3, abs=1e-6)
    assert model(points).argmax(1) == 1


def test_4_and_5_no_adapter_to_torchattacks_cw(net, images) -> None:
    binary = images.round()
    labels = net(binary).argmax(1)
    assert torch.equal(torchattacks.CW(net, c=10, steps=20)(binary, labels), binary)
    assert not [name for name in attacks.names() if name.startswith("cw")]


def test_6_training_mode_comes_back(images) -> None:
    net = SmoothNet().train()
    net.norm.eval()
    torchattacks.FGSM(net)(images, torch.zeros(6, dtype=torch.int64))
    assert net.norm.training  # was frozen

    given = problem(net, images, torch.zeros(6, dtype=torch.int64), 0.1)
    net.train()
    net.norm.eval()
    library_attack("fgsm@torchattacks").perturb(given)
    assert net.training
    assert not net.norm.training


def test_7_normalization_stays_inside_the_model(images) -> None:
    RobModel = type("RobModel", (SmoothNet,), {"mean": torch.tensor([0.5]), "std": torch.tensor([0.2])})
    net = RobModel().eval()
    assert torchattacks.FGSM(net).normalization_used is not None
    given = problem(net, images, net(images).argmax(1).detach(), 0.1)
    plain = SmoothNet().eval()
    points = library_attack("fgsm@torchattacks").perturb(given)
    expected = library_attack("fgsm@torchattacks").perturb(problem(plain, images, given.labels, 0.1))
    assert torch.equal(points, expected)


def test_8_generators_are_left_alone(net, images, labels) -> None:
    before = torch.get_rng_state()
    torchattacks.APGD(net, steps=2)(images, labels)
    assert not torch.equal(torch.get_rng_state(), before)

    before = torch.get_rng_state()
    library_attack("autoattack@torchattacks").perturb(problem(net, images, labels, 0.1))
    assert torch.equal(torch.get_rng_state(), before)


def test_9_no_gradients_are_left_in_the_weights(images) -> None:
    net = SmoothNet().eval()
    labels = net(images).argmax(1).detach()
    torchattacks.FAB(net, steps=1, n_classes=5)(images, labels)
    assert net.head.weight.grad is not None

    net = SmoothNet().eval()
    for name in ("fab@torchattacks", "autoattack@torchattacks", "pgd@foolbox", "pgd@art"):
        library_attack(name).perturb(problem(net, images, labels, 0.01))
        assert all(weight.grad is None for weight in net.parameters())


def test_10_naming_the_attacks_imports_no_library() -> None:
    code = (
        "import sys; from robbench.attacks import attacks; attacks.names();"
        "print(sorted({m.partition('.')[0] for m in sys.modules}"
        " & {'torchattacks', 'robustbench', 'requests', 'foolbox', 'eagerpy', 'art'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_11_foolbox_step_crosses_the_ball() -> None:
    model, gray = brightness_oracle(0.75).eval(), torch.full((1, 1, 8, 8), 0.5)
    labels = torch.zeros(1, dtype=torch.int64)
    raw = foolbox.attacks.LinfPGD(steps=10, random_start=False)
    moved = raw.run(foolbox.models.pytorch.PyTorchModel(model, (0, 1)), gray, labels, epsilon=0.3) - gray
    assert moved.abs().max() == pytest.approx(0.1, abs=1e-6)

    attack = library_attack("pgd@foolbox", steps=10, random_start=False)
    points = attack.perturb(problem(model, gray, labels, 0.3, classes=2))
    assert model(points).argmax(1) == 1


def test_12_rounding_and_float64_do_not_stop_foolbox(net, images, labels) -> None:
    outside = images * (1 + 1e-6) + 1e-7
    outside[0, 0, 0, 0] = 1 + 1e-7
    raw = foolbox.models.pytorch.PyTorchModel(net, (0, 1))
    with pytest.raises(AssertionError) as silent:
        foolbox.attacks.LinfPGD().run(raw, outside, labels, epsilon=0.1)
    assert not silent.value.args or "assert" in str(silent.value)

    for given in (problem(net, outside, labels, 0.1), problem(net, images.double(), labels, 0.1)):
        assert fresh_images(given).dtype == torch.float32
        for name in ("pgd@foolbox", "noise@foolbox", "deepfool@foolbox"):
            assert library_attack(name).perturb(given).dtype == torch.float32


def test_13_foolbox_neither_moves_the_model_nor_warns(images, labels, monkeypatch) -> None:
    net = SmoothNet().train()
    with pytest.warns(UserWarning, match="training mode"):
        foolbox.models.pytorch.PyTorchModel(net, (0, 1))
    moves: list[Any] = []
    given = problem(net, images, labels, 0.1)
    net.train()
    monkeypatch.setattr("foolbox.models.pytorch.get_device", lambda device: moves.append(device) or device)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        library_attack("fgsm@foolbox").perturb(given)
    assert moves == [torch.device("cpu")]
    assert "hopskipjump@foolbox" not in attacks.names()


def test_14_art_is_given_the_true_labels(net, images, labels) -> None:
    wrong = (labels + 1) % 5
    with_truth = library_attack("pgd@art", random_start=False).perturb(problem(net, images, labels, 0.1))
    with_wrong = library_attack("pgd@art", random_start=False).perturb(problem(net, images, wrong, 0.1))
    assert not torch.equal(with_truth, with_wrong)
    loss = nn.CrossEntropyLoss(reduction="none")
    assert (loss(net(with_wrong), wrong) > loss(net(images), wrong)).all()


def test_15_art_runs_the_problem_as_one_batch_at_our_step(net) -> None:
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = net(images).argmax(1).detach()
    sizes: list[int] = []
    handle = net.register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    library_attack("pgd@art", steps=3).perturb(problem(net, images, labels, 0.1))
    assert set(sizes) == {40}
    sizes.clear()
    raw = ProjectedGradientDescentPyTorch(art_classifier(net), eps=0.1, max_iter=3, verbose=False)
    assert raw.eps_step == 0.1
    raw.generate(images.numpy(), labels.numpy())
    assert min(sizes) == 8  # 32 and the rest
    handle.remove()


def test_16_art_extra_predictions_are_counted(net, images, labels) -> None:
    counter = PassCounter()
    library_attack("pgd@art", steps=10).perturb(problem(CountedModel(net, counter), images, labels, 0.1))
    assert counter.forward == len(images) * (10 + 2)
    assert counter.backward == len(images) * 10


@pytest.mark.parametrize("name", ["pgd@art", "apgd@art", "square@art"])
def test_17_art_takes_our_radii(name, net, images, labels) -> None:
    with pytest.raises(TypeError):
        ProjectedGradientDescentPyTorch(art_classifier(net), eps=np.float32(0.1), eps_step=np.float32(0.1))  # pyright: ignore[reportArgumentType]
    radii = torch.full((6,), 0.1, dtype=torch.float32)
    given = problem(net, images, labels, radii)
    assert given.ball.within(library_attack(name).perturb(given)).all()


def test_18_art_does_not_walk_past_hooks(images) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    calls: list[int] = []
    net.register_forward_hook(lambda *_: calls.append(1))
    labels = torch.zeros(6, dtype=torch.int64)
    art_classifier(net).predict(images.numpy())
    assert not calls

    estimator(stand_in(problem(net, images, labels, 0.1)), problem(net, images, labels, 0.1), "ce").predict(
        images.numpy()
    )
    assert calls
    net.train()
    given = problem(net, images, labels, 0.1)
    net.train()
    library_attack("pgd@art").perturb(given)
    assert net.training


class _Quantizer(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return (images * 4).round() / 4


@pytest.mark.parametrize(
    "name", ["pgd@torchattacks", "pgd@foolbox", "pgd@art", "fgsm@foolbox", "fgsm@torchattacks"]
)
def test_19_bpda_works_in_every_library(name, net, images) -> None:
    defense = Defense(net, layer=_Quantizer())
    labels = defense.model.eval()(images).argmax(1).detach()
    attack = library_attack(name, **({"random_start": False} if "pgd" in name else {}))
    stuck = attack.perturb(problem(defense.view("exact"), images, labels, 0.2))
    points = attack.perturb(problem(defense.view("bpda"), images, labels, 0.2))
    assert torch.equal(stuck, images)
    assert (defense.model(points).argmax(1) != labels).float().mean() >= 0.5


def test_19_what_art_imports_is_declared() -> None:
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    needed = tomllib.loads(project.read_text())["project"]["dependencies"]
    assert any(entry.startswith("packaging") for entry in needed)


def test_24_overshoot_by_rounding_is_within_tolerance(net) -> None:
    images = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(9))
    labels = net(images).argmax(1).detach()
    for name in ("fgsm@torchattacks", "pgd@torchattacks", "pgd@foolbox", "pgd@art", "apgd@art"):
        given = problem(net, images, labels, 0.1)
        points = library_attack(name).perturb(given)
        excess = ((points.double() - images.double()).abs().flatten(1).amax(1) - 0.1).max()
        assert excess < TOLERANCE
        assert given.ball.within(points).all()


def test_foolbox_linf_noise_stays_in_the_ball(net, images, labels) -> None:
    """foolbox scales linf noise by its largest entry, not its largest absolute one."""
    from eagerpy.astensor import astensor

    lopsided = astensor(torch.tensor([[-1.0, 0.5]]).view(1, 1, 1, 2))
    given = problem(net, images, labels, 0.1)
    raw = foolbox.attacks.LinfRepeatedAdditiveUniformNoiseAttack()
    assert raw.get_epsilons(lopsided, lopsided, 0.1, 0, 1).raw == pytest.approx(0.2)
    fixed = library_attack("noise@foolbox")._build(foolbox, given)  # pyright: ignore[reportAttributeAccessIssue]
    assert fixed.get_epsilons(lopsided, lopsided, 0.1, 0, 1).raw == pytest.approx(0.1)


def test_foolbox_deepfool_does_not_configure_the_root_logger(images) -> None:
    net = SmoothNet(classes=12).eval()
    labels = net(images).argmax(1).detach()
    root = logging.getLogger()
    kept, root.handlers[:] = root.handlers[:], []
    try:
        library_attack("deepfool@foolbox").perturb(problem(net, images, labels, 0.1, classes=12))
        assert root.handlers == []
    finally:
        root.handlers[:] = kept


def test_torchattacks_square_does_not_write_into_the_model(images) -> None:
    class Stored(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logits = nn.Parameter(torch.tensor([[0.0, 3.0, 1.0]]).repeat(6, 1))

        def forward(self, images: Tensor) -> Tensor:
            return self.logits[: len(images)]

    model, labels = Stored(), torch.ones(6, dtype=torch.int64)
    library_attack("square@torchattacks", queries=3).perturb(problem(model, images, labels, 0.1, classes=3))
    assert model.logits.isfinite().all()


def test_torchattacks_apgdt_in_l2_mixes_samples(net) -> None:
    """Its step size is the first sample's, for all: why AutoAttack is offered in linf alone."""
    source = Path(torchattacks.attacks.apgdt.__file__).read_text()
    assert "step_size[0] * grad" in source
    assert attacks.get("autoattack@torchattacks").norms == ("linf",)


def test_art_hopskipjump_start_is_seeded(net, images, labels) -> None:
    float32 = stand_in(problem(net, images, labels, 0.1))  # ART asks in float64
    raw: Any = HopSkipJump(art_classifier(float32), max_iter=1, init_eval=5, norm=np.inf, verbose=False)
    drawn = []
    for _ in range(2):
        np.random.seed(0)
        start = raw._init_sample(
            images[0].numpy(),
            -1,
            int(labels[0]),
            None,
            None,
            None,
            0.0,
            1.0,
        )
        assert start is not None
        drawn.append(start[0])
    assert not np.array_equal(*drawn)

    attack = library_attack("hopskipjump@art")
    given = problem(net, images[:2], labels[:2], 0.1)
    assert torch.equal(attack.perturb(given), attack.perturb(given))


def test_art_hopskipjump_cannot_hang(images) -> None:
    """Where rounding undoes a success, ART halves its step for ever; the adapter gives up on the sample."""

    class Fickle(nn.Module):
        """Breaks on the start, and never again."""

        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, images: Tensor) -> Tensor:
            self.calls += 1
            adversarial = self.calls in (1, 3)
            return torch.tensor([[0.0, 1.0] if adversarial else [1.0, 0.0]]).repeat(len(images), 1)

    labels = torch.zeros(1, dtype=torch.int64)
    attack = library_attack("hopskipjump@art", steps=1)
    points = attack.perturb(problem(Fickle(), images[:1], labels, 0.1, classes=2))
    assert points.shape == (1, 1, 8, 8)


def test_art_hopskipjump_keeps_what_it_found_before_it_was_stuck() -> None:
    class Tiring(nn.Module):
        """Class 1 where bright; from the ninth call on, until ART is given up, nowhere."""

        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, images: Tensor) -> Tensor:
            self.calls += 1
            bright = images.flatten(1).mean(1) - (9 if 8 < self.calls <= 1001 else 0.45)
            return torch.stack([torch.zeros_like(bright), bright], 1)

    dark, labels = torch.full((1, 1, 8, 8), 0.3), torch.zeros(1, dtype=torch.int64)
    model = Tiring()
    points = library_attack("hopskipjump@art", steps=1).perturb(problem(model, dark, labels, 0.1, classes=2))
    assert model.calls == 1002  # so it was stuck
    assert points.mean() > 0.45
    assert (points - dark).abs().max() < 0.4  # the random start is about 0.7 away


@pytest.mark.parametrize("side", [(2, 2), (4, 4), (3, 12), (8, 8)])
def test_art_square_takes_small_and_oblong_images(side) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(side[0] * side[1], 3))
    images = torch.rand(4, 1, *side, generator=torch.Generator().manual_seed(2))
    labels = net(images).argmax(1).detach()
    given = problem(net, images, labels, 0.1, classes=3)
    assert given.ball.within(library_attack("square@art", queries=20).perturb(given)).all()


def test_art_square_refuses_lines() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(9, 3))
    images = torch.rand(2, 1, 1, 9)
    with pytest.raises(UserError, match="at least 2 x 2 pixels, not 1 x 9"):
        library_attack("square@art").perturb(
            problem(net, images, torch.zeros(2, dtype=torch.int64), 0.1, classes=3)
        )


def test_foolbox_fmn_is_offered_in_linf_alone() -> None:
    """In l2 its projection divides a length by itself and never projects."""
    from eagerpy.astensor import astensor

    far = astensor(torch.full((1, 1, 2, 2), 5.0))
    center, radius = astensor(torch.zeros(1, 1, 2, 2)), astensor(torch.tensor([0.1]))
    assert torch.equal(foolbox.attacks.L2FMNAttack().project(far, center, radius).raw, far.raw)
    assert attacks.get("fmn@foolbox").norms == ("linf",)
