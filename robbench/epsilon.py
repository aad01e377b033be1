"""The perturbation radius ε as people write it: parsing, grids and printing."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from robbench.errors import UserError

LARGEST_DISTANCE = 1e4
"""Under l2: images of a hundred million pixels are no farther apart."""
SMALLEST_RADIUS = 1e-5
"""Below it, what float32 rounds of a pixel is no longer small against ε."""
MAX_POINTS = 1000


@dataclass(frozen=True)
class EpsilonUnit:
    """The natural unit of a dataset's ε axis.

    Attributes:
        denominator: 255 prints ε as ``8/255``; 1 prints it as ``0.3``.
    """

    denominator: int = 1

    def format(self, epsilon: float) -> str:
        """ε as people write it, for example ``8/255`` or ``0.25``."""
        if self.denominator == 1 or epsilon == 0:
            return f"{epsilon:.6g}"
        return f"{epsilon * self.denominator:.6g}/{self.denominator}"


def natural_unit(epsilons: Iterable[float]) -> EpsilonUnit:
    """The unit in which a grid reads best.

    255ths, if every ε is a whole or half number of them, unless every ε is also a short decimal: 0.2 is
    51/255, and nobody means that.
    """
    points = list(epsilons)
    short_decimals = all(_is_whole(epsilon * 1000) for epsilon in points)
    whole_255ths = all(_is_whole(epsilon * 255 * 2) for epsilon in points)
    return EpsilonUnit(255 if whole_255ths and not short_decimals else 1)


def parse_epsilon(text: str) -> float:
    """Read one radius in pixel scale, images in [0, 1]; fractions such as ``8/255`` are allowed.

    Raises:
        UserError: Not a number, or negative.
    """
    return float(_parse_fraction(text))


def parse_grid(text: str) -> tuple[float, ...]:
    """Read an ε grid: ``a:b:n`` (n points from a to b, both included) or radii joined by commas.

    The points come back in the order given, possibly with repetitions: see :func:`tidy_grid`.

    Raises:
        UserError: The grid is empty, a point is no radius, or n is not a whole number of at least 2.
    """
    if ":" in text:
        return _parse_range(text)
    points = [part for part in text.split(",") if part.strip()]
    if not points:
        raise UserError(
            "The ε grid is empty.", "Give radii such as --eps-grid 0,2/255,4/255 or a range such as 0:0.3:13."
        )
    return tuple(parse_epsilon(point) for point in points)


def typed_grid(points: tuple[float, ...], unit: EpsilonUnit) -> str:
    """A grid as one would type it: :func:`parse_grid` reads exactly these points again.

    Args:
        points: The grid, ascending.
        unit: The unit of ε.
    """
    written = [unit.format(point) for point in points]
    texts = (f"{written[0]}:{written[-1]}:{len(points)}", ",".join(written))
    exact = [text for text in texts if len(points) > 1 and parse_grid(text) == points]
    return min(exact, key=len, default=",".join(map(repr, points)))


def tidy_grid(points: tuple[float, ...]) -> tuple[float, ...]:
    """The grid that is swept: sorted, without repetitions, and with 0, which costs one forward pass."""
    return tuple(sorted({0.0, *points}))


def check_pixel_radii(points: tuple[float, ...]) -> None:
    """Refuse radii by which no single pixel can be changed; under l2 a change is that of all pixels together.

    Raises:
        UserError: One is above 1, or lost among what float32 rounds.
    """
    _check_smallest(points)
    largest = max(points)
    if largest > 1:
        pixels = f"{largest:g}" if largest <= 255 and _is_whole(largest) else "8"
        raise UserError(
            f"ε = {largest:g} is above 1, but images lie in [0, 1].",
            f"Pixel values of 0 to 255 are written as fractions, such as {pixels}/255.",
        )


def check_image_radii(points: tuple[float, ...]) -> None:
    """Refuse radii under l2 that no two images are apart by, however large they are.

    Raises:
        UserError: One is above :data:`LARGEST_DISTANCE`, or lost among what float32 rounds.
    """
    _check_smallest(points)
    if max(points) > LARGEST_DISTANCE:
        raise UserError(
            f"ε = {max(points):g} is farther than images in [0, 1] can be apart.",
            "Under l2 it is the square root of the sum over all pixels; give radii such as 0,0.5,1.",
        )


def _check_smallest(points: tuple[float, ...]) -> None:
    smallest = min((point for point in points if point), default=SMALLEST_RADIUS)
    if smallest < SMALLEST_RADIUS:
        raise UserError(
            f"ε = {smallest:g} is lost among what float32 rounds of a pixel.",
            f"Give 0 or at least {SMALLEST_RADIUS:g}; the least change of an 8-bit pixel is 1/255.",
        )


def _parse_range(text: str) -> tuple[float, ...]:
    parts = text.split(":")
    if len(parts) != 3:
        raise UserError(
            f"{text!r} is not a range of radii.",
            "Write first:last:points, for example 0:0.3:13 or 0:8/255:9.",
        )
    first, last = _parse_fraction(parts[0]), _parse_fraction(parts[1])
    try:
        count = int(parts[2])
    except ValueError:
        count = 0
    if not 2 <= count <= MAX_POINTS:
        raise UserError(
            f"A range of radii has 2 to {MAX_POINTS} points, not {parts[2].strip()!r}.",
            "For example 0:0.3:13.",
        )
    return tuple(float(first + (last - first) * i / (count - 1)) for i in range(count))


def _parse_fraction(text: str) -> Fraction:
    try:
        value = _read_number(text.strip())
    except (ValueError, ZeroDivisionError, OverflowError):
        raise UserError(
            f"{text.strip()!r} is not a radius ε.", "Write a number such as 0.3 or a fraction such as 8/255."
        ) from None
    if value < 0:
        raise UserError(f"ε cannot be negative, and {text.strip()} is.", "Give 0 or more.")
    return value


def _read_number(text: str) -> Fraction:
    numerator, slash, denominator = text.partition("/")
    value = _finite(numerator)
    return value / _finite(denominator) if slash else value


def _finite(text: str) -> Fraction:
    value = float(text)
    is_zero = not any(digit in "123456789" for digit in text.lower().partition("e")[0])
    # Fraction would write out the zeros of an exponent that is out of range.
    if not math.isfinite(value) or (value == 0) != is_zero:
        raise ValueError(text)
    return Fraction(0) if is_zero else Fraction(text.strip())


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-4
