"""Labels cover neither each other nor what is drawn, as long as there is room."""

from itertools import combinations

import pytest

from robbench.figures.label_placement import Box, place_labels

ROOM = Box(0.0, 0.0, 7.0, 4.0)


def around(point: tuple[float, float], half: float = 0.07) -> Box:
    return Box(point[0] - half, point[1] - half, point[0] + half, point[1] + half)


def test_a_lonely_label_stands_to_the_right():
    (box,) = place_labels([(2.0, 2.0)], [(0.6, 0.13)], [around((2.0, 2.0))], ROOM)
    assert box.left == pytest.approx(2.09)
    assert (box.bottom + box.top) / 2 == pytest.approx(2.0)


def test_at_the_edge_it_stays_inside():
    (box,) = place_labels([(6.9, 2.0)], [(0.6, 0.13)], [around((6.9, 2.0))], ROOM)
    assert box.right < 6.9


def test_a_crowd_is_told_apart():
    points = [(2 + 0.15 * i, 1 + 0.1 * (i % 3)) for i in range(6)]
    marks = [around(point) for point in points]
    boxes = place_labels(points, [(0.7, 0.13)] * len(points), marks, ROOM)
    assert all(one.overlap(other) == 0 for one, other in combinations(boxes, 2))
    assert all(box.overlap(mark) == 0 for box in boxes for mark in marks)
    assert all(box.overlap(ROOM) == pytest.approx(box.area) for box in boxes)


def test_without_room_there_is_a_place_all_the_same():
    boxes = place_labels([(0.1, 0.1)] * 3, [(1.0, 0.2)] * 3, [], Box(0.0, 0.0, 0.2, 0.2))
    assert len(boxes) == 3
