"""Where labels stand beside their points so that they cover neither each other nor what is drawn."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_ANGLES = (0.0, 180.0, 25.0, -25.0, 155.0, -155.0, 50.0, -50.0, 130.0, -130.0, 90.0, -90.0)
"""Directions from a point to its label in degrees, the ones that read best first."""
_DISTANCES = (0.09, 0.16, 0.24, 0.34, 0.46, 0.6)
"""From a point to the near edge of its label, in inches."""
_OVERLAP = 100.0
"""What a square inch of overlap costs, in inches of distance."""
_OUTSIDE = 10.0


class Box(NamedTuple):
    """A rectangle, in inches."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: "Box") -> float:
        """The area that two rectangles share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.top - self.bottom)


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    obstacles: Sequence[Box],
    room: Box,
) -> list[Box]:
    """A place for each label, one after another: the nearest that covers nothing, else the least bad one.

    Args:
        points: What the labels name, (x, y) in inches; the first choose first.
        sizes: Width and height of each label.
        obstacles: What shall not be covered.
        room: Where labels may stand.
    """
    placed: list[Box] = []
    for point, size in zip(points, sizes, strict=True):
        taken = [*obstacles, *placed]
        candidates = [
            (_DISTANCES[near] + 0.01 * rank, _box(point, size, angle, _DISTANCES[near]))
            for near in range(len(_DISTANCES))
            for rank, angle in enumerate(_ANGLES)
        ]
        placed.append(min(candidates, key=lambda candidate: _cost(*candidate, taken, room))[1])
    return placed


def _box(point: tuple[float, float], size: tuple[float, float], angle: float, distance: float) -> Box:
    """A label whose near edge is at a distance from its point, in a direction."""
    x = point[0] + distance * math.cos(math.radians(angle))
    y = point[1] + distance * math.sin(math.radians(angle))
    width, height = size
    left = x if abs(angle) < 90 else x - width if abs(angle) > 90 else x - width / 2
    bottom = y - height / 2 if abs(angle) != 90 else y if angle > 0 else y - height
    return Box(left, bottom, left + width, bottom + height)


def _cost(distance: float, box: Box, taken: Sequence[Box], room: Box) -> float:
    covered = sum(box.overlap(other) for other in taken)
    outside = box.area - box.overlap(room)
    return distance + _OVERLAP * (covered + _OUTSIDE * outside)
