"""Checks that a recipe's options lie in their ranges, made when the recipe is built."""

import math

from robbench.errors import UserError


def check_radius(title: str, epsilon: float) -> None:
    """Refuse a radius that is no part of the box.

    Args:
        title: The defense's title, for the message.
        epsilon: The radius of its inner attack, in pixel scale; above 0, at most 1.

    Raises:
        UserError: It is not.
    """
    if not 0 < epsilon <= 1:
        raise UserError(
            f"{title}'s epsilon lies above 0 and at most at 1 in pixel scale, not at {epsilon}.",
            "Fractions are allowed: --set epsilon=8/255.",
        )


def check_noise(title: str, noise: float) -> None:
    """Refuse noise larger than the box.

    Args:
        title: The defense's title, for the message.
        noise: The half-width of uniform noise, in pixel scale; from 0 to 1.

    Raises:
        UserError: It is not.
    """
    if not 0 <= noise <= 1:
        raise UserError(f"{title}'s noise lies between 0 and 1 in pixel scale, not at {noise}.")


def check_positive(title: str, **options: int | float) -> None:
    """Refuse options that are not above 0, or not finite.

    Args:
        title: The defense's title, for the message.
        **options: Values by the options' names.

    Raises:
        UserError: One of them is not.
    """
    for name, value in options.items():
        if not 0 < value < math.inf:
            raise UserError(f"{title}'s {name} is above 0 and finite, not {value}.")
