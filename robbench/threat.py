"""What an attacker may do: the box [0, 1] and a ball of radius ε in some norm."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robbench.errors import UserError
from robbench.randomness import mix_keys, uniform
from robbench.tensors import Flags, Images, Keys, PerSample

TOLERANCE = 1e-6
"""Slack of every box and ball test, in pixel scale: float32 steps overshoot by about 2e-8."""


class Norm(ABC):
    """A norm as an attack needs it: distance, projection, steepest ascent, random points."""

    name: ClassVar[str]

    @abstractmethod
    def distance(self, images: Images, others: Images) -> PerSample:
        """The distance of each pair of images."""

    @abstractmethod
    def project(self, points: Images, centers: Images, epsilon: PerSample) -> Images:
        """Each point's projection onto the ball around its center, then onto the box [0, 1]."""

    @abstractmethod
    def ascent(self, gradient: Images) -> Images:
        """The direction of unit norm in which a linear function with this gradient rises most."""

    @abstractmethod
    def random_offset(self, keys: Keys, shape: tuple[int, int, int], epsilon: PerSample) -> Images:
        """One point per key, uniform in the ball of radius ε around 0."""

    def within(self, points: Images, centers: Images, epsilon: PerSample) -> Flags:
        """Whether each point lies in the box and within ε of its center, up to :data:`TOLERANCE`."""
        flat = points.flatten(1)
        in_box = (flat.amin(1) >= -TOLERANCE) & (flat.amax(1) <= 1 + TOLERANCE)
        return in_box & (self.distance(points, centers) <= epsilon + TOLERANCE)


class Linf(Norm):
    """The largest change of any pixel."""

    name = "linf"

    def distance(self, images: Images, others: Images) -> PerSample:
        return (images - others).abs().flatten(1).amax(1)

    def project(self, points: Images, centers: Images, epsilon: PerSample) -> Images:
        radius = per_image(epsilon)
        return torch.clamp(points, centers - radius, centers + radius).clamp(0, 1)

    def ascent(self, gradient: Images) -> Images:
        return gradient.sign()

    def random_offset(self, keys: Keys, shape: tuple[int, int, int], epsilon: PerSample) -> Images:
        return (2 * uniform(keys, shape) - 1) * per_image(epsilon)


_INSIDE = 1 - 2**-21
"""A projection onto a Euclidean sphere ends this much within it: a float32 length is not exact."""


def _length(offsets: Images) -> PerSample:
    """The Euclidean length of each offset, summed in float64: a large image has 10⁵ squares to add."""
    return torch.linalg.vector_norm(offsets.flatten(1), dim=1, dtype=torch.float64).to(offsets.dtype)


class L2(Norm):
    """The Euclidean length of the change."""

    name = "l2"

    def distance(self, images: Images, others: Images) -> PerSample:
        return _length(images - others)

    def project(self, points: Images, centers: Images, epsilon: PerSample) -> Images:
        offset = points - centers
        share = epsilon * _INSIDE / _length(offset).clamp_min(1e-12)
        # The box is convex and holds the center, so clipping to it never leaves the ball.
        return (centers + offset * per_image(share.clamp_max(1))).clamp(0, 1)

    def ascent(self, gradient: Images) -> Images:
        # Scaled first: squares of what a confident network leaves of its gradient are 0 in float32.
        largest = gradient.flatten(1).abs().amax(1).clamp_min(torch.finfo(gradient.dtype).tiny)
        scaled = gradient / per_image(largest)
        return scaled / per_image(_length(scaled).clamp_min(1e-12))

    def random_offset(self, keys: Keys, shape: tuple[int, int, int], epsilon: PerSample) -> Images:
        normal = torch.erfinv((2 * uniform(keys, shape) - 1).clamp(-1 + 1e-6, 1 - 1e-6))
        length = torch.linalg.vector_norm(normal.flatten(1), dim=1).clamp_min(1e-12)
        # A radius drawn as u^(1/d) makes the point uniform in the ball, not crowded at its center.
        radius = uniform(mix_keys(keys, 1), (1, 1, 1)).flatten() ** (1 / normal[0].numel())
        return normal * per_image(epsilon * radius / length)


@dataclass(frozen=True)
class Ball:
    """Where the images of a batch may be moved: a ball around each, cut with the box [0, 1].

    Attributes:
        centers: The unperturbed images.
        epsilon: The radius allowed to each image, in pixel scale.
        norm: The norm that measures it.
    """

    centers: Images
    epsilon: PerSample
    norm: Norm

    def project(self, points: Images) -> Images:
        """The nearest allowed points (exact for linf; for l2 first the ball, then the box)."""
        return self.norm.project(points, self.centers, self.epsilon)

    def within(self, points: Images) -> Flags:
        """Whether each point is allowed, up to :data:`TOLERANCE`."""
        return self.norm.within(points, self.centers, self.epsilon)

    def random_point(self, keys: Keys) -> Images:
        """One allowed point per key: uniform in the ball, clipped to the box."""
        _, channels, height, width = self.centers.shape
        offset = self.norm.random_offset(keys, (channels, height, width), self.epsilon)
        return self.project(self.centers + offset)


NORMS: dict[str, Norm] = {norm.name: norm for norm in (Linf(), L2())}


def get_norm(name: str) -> Norm:
    """The norm called ``linf`` or ``l2``.

    Raises:
        UserError: Another name.
    """
    if name not in NORMS:
        raise UserError(f"There is no norm called {name!r}.", f"robbench knows {' and '.join(NORMS)}.")
    return NORMS[name]


def per_image(values: PerSample | Flags) -> Tensor:
    """Shape one value per image so that it broadcasts over (n, channels, height, width)."""
    return values.view(-1, 1, 1, 1)
