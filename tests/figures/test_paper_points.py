import pytest

from robbench.figures.paper_points import PAPER_POINTS, points_of
from tests.figures.made_up import CIFAR_GRID, MNIST_GRID, made_up_curves


def stated(defense: str, attack: str, grid: tuple[float, ...], **constants: str) -> list[float]:
    curve = made_up_curves([defense], [attack], grid).assign(**constants)
    return [point.accuracy for point in points_of(curve)]


def test_points_stand_at_the_attack_the_paper_used() -> None:
    assert stated("nsq", "pgd100", MNIST_GRID) == [0.9849]
    assert stated("nsq", "pgd100@foolbox", MNIST_GRID) == [0.9849]
    assert stated("nsq", "bpda100-substitute", MNIST_GRID) == [0.8732]
    assert stated("pgd-at", "pgd20", CIFAR_GRID, dataset="cifar10") == [0.4662]
    # For a defense without the layer, BPDA is PGD.
    assert stated("pgd-at", "bpda20-substitute", CIFAR_GRID, dataset="cifar10") == [0.4662]


@pytest.mark.parametrize(
    ("defense", "attack"),
    [
        ("nsq", "bpda100"),  # Athalye's BPDA keeps the layer in the forward pass; the paper's does not
        ("nsq", "pgd40"),
        ("nsq", "pgd100-cw"),
        ("nsq", "pgd100:restarts=5"),
        ("nsq", "square@torchattacks"),
        ("sq", "pgd100"),
        ("mine.nsq", "pgd100"),
    ],
)
def test_no_point_stands_at_another_attack_or_defense(defense: str, attack: str) -> None:
    assert stated(defense, attack, MNIST_GRID) == []


def test_no_point_stands_where_the_test_was_another() -> None:
    assert stated("nsq", "pgd100", (0.0, 0.1)) == []
    assert stated("nsq", "pgd100", MNIST_GRID, norm="l2") == []
    assert stated("nsq", "pgd100", MNIST_GRID, dataset="digits") == []
    assert stated("nsq", "pgd100", MNIST_GRID, criterion="top5") == []


def test_clean_accuracy_holds_under_every_attack() -> None:
    grid = (0.0, 4 / 255)
    assert stated("nsq", "square", grid, dataset="imagenet") == [0.73438]
    assert stated("nsq", "pgd20", grid, dataset="imagenet", criterion="top5") == [0.91106, 0.69718]


def test_shares_lie_between_0_and_1() -> None:
    assert all(0 < point.accuracy < 1 and 0 <= point.epsilon <= 0.3 for point in PAPER_POINTS)
