import torch

from robbench.sweep.reach import reach

GRID = torch.tensor([0.0, 0.1, 0.2, 0.3])


def test_an_image_counts_at_every_radius_no_smaller_than_its_distance() -> None:
    distance = torch.tensor([0.0, 0.1, 0.1 + 5e-7, 0.11, 0.3])
    found = reach(GRID, torch.full((5,), 3), distance, alone=False)
    # A clean image that is misread counts from the first ε on: at 0 the clean prediction has decided.
    assert found.smallest.tolist() == [1, 1, 1, 2, 3]
    assert found.broken.int().tolist() == [[0, 1, 1, 1]] * 3 + [[0, 0, 1, 1], [0, 0, 0, 1]]


def test_alone_it_counts_where_it_was_looked_for() -> None:
    found = reach(GRID, torch.tensor([3, 1]), torch.tensor([0.05, 0.1]), alone=True)
    assert found.smallest.tolist() == [3, 1]
    assert found.broken.int().tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]


def test_nothing_counts_nowhere() -> None:
    found = reach(GRID, torch.zeros(0, dtype=torch.int64), torch.zeros(0), alone=False)
    assert found.broken.shape == (0, 4)
