"""AutoAttack by its authors' code: the standard version's own settings, and nothing of its own printed."""

import pytest
import torch

pyautoattack = pytest.importorskip("pyautoattack")  # an extra

from robbench.attacks.calling import stand_in  # noqa: E402
from robbench.attacks.pyautoattack_adapter import PyAutoAttack  # noqa: E402
from robbench.errors import UserError  # noqa: E402
from tests.attacks.problems import problem  # noqa: E402
from tests.oracles import ConstantModel, SmoothNet  # noqa: E402

NOT_SETTINGS = {"model", "predict", "seed", "logger", "device", "targeted", "loss"}


def settings(part: object) -> dict[str, object]:
    return {key: value for key, value in vars(part).items() if key not in NOT_SETTINGS}


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_parts_are_those_of_the_standard_version(norm, images) -> None:
    given = problem(SmoothNet(classes=12), images, torch.zeros(4, dtype=torch.int64), 0.25, norm, classes=12)
    model = stand_in(given)
    whole = pyautoattack.AutoAttack(model, norm=norm.capitalize(), eps=0.25, seed=7, version="standard")
    parts = list(PyAutoAttack()._parts(model, given))
    theirs = [whole.apgd, whole.apgd_targeted, whole.fab, whole.square]
    assert whole.attacks_to_run == ["apgd-ce", "apgd-t", "fab-t", "square"]
    assert [type(part) for part in parts] == [type(part) for part in theirs]
    assert [settings(part) for part in parts] == [settings(part) for part in theirs]
    assert [part.seed for part in parts] == [7] * 4
    assert (parts[0].loss, parts[2].targeted) == ("ce", True)


@pytest.mark.parametrize(("classes", "count"), [(5, 4), (3, 3), (2, 3)])
def test_few_classes_are_few_targets(classes, count, images) -> None:
    given = problem(
        SmoothNet(classes=classes), images, torch.zeros(4, dtype=torch.int64), 0.1, classes=classes
    )
    parts = list(PyAutoAttack()._parts(stand_in(given), given))
    assert len(parts) == count
    assert {part.n_target_classes for part in parts[1:-1]} == {classes - 1}


def test_zero_gradients_are_no_news_on_the_terminal(images, capfd) -> None:
    given = problem(ConstantModel(), images, torch.ones(4, dtype=torch.int64), 0.1, classes=4)
    points = PyAutoAttack(steps=2, queries=3).perturb(given)
    assert given.ball.within(points).all()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("side", [*range(3, 34), 64, 96, 224, 299])
def test_what_square_cannot_lay_out_in_l2_is_refused(side) -> None:
    given = problem(
        ConstantModel(), torch.rand(1, 1, side, side), torch.ones(1, dtype=torch.int64), 0.25, "l2"
    )
    model = stand_in(given)
    square = pyautoattack.square.SquareAttack(model, norm="L2", eps=0.25, n_queries=1, resc_schedule=False)
    try:
        square.perturb(given.ball.centers, given.labels)
    except (RuntimeError, ZeroDivisionError):
        with pytest.raises(UserError, match=f"does not take images of {side} x {side} pixels in l2"):
            next(PyAutoAttack()._parts(model, given))
    else:
        next(PyAutoAttack()._parts(model, given))


@pytest.mark.parametrize("shape", [(4, 9), (24, 24), (32, 24)])
def test_where_its_patches_do_not_fit_square_is_not_reached(shape) -> None:
    given = problem(ConstantModel(), torch.rand(2, 1, *shape), torch.zeros(2, dtype=torch.int64), 0.25, "l2")
    with pytest.raises(UserError, match="patches of a 5th of their height"):
        PyAutoAttack().perturb(given)
