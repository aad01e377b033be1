"""The soft-quantization layer: a staircase of K sigmoids."""

import math

import torch
from torch import nn

from robbench.defenses.contract import Defense
from robbench.errors import UserError
from robbench.tensors import Images

GENTLE_SLOPE = 8.0
"""α times the width of a cell, for the gentle copy: σ's argument spans −4 to 4 over the cell.

Chosen as the strongest attack on the digits models under the l2 norm (NSQ at ε = 1, PGD-50: 6 % left, against
51 % at a slope of 2, 27 % at 20 and 55 % for ``bpda``). An linf attack steps along the gradient's sign, which
no slope changes unless the gradient underflows: from 1 to 20 it broke as many as ``bpda``, at 40 fewer.
"""


class SoftQuantization(nn.Module):
    """Soft quantization, Eq. 3 of the soft-quantization paper (ICLR 2019 submission).

    For x in [0, 1]: ``S(x) = σ(α·(x − (2k+1)/(2K)))/K + k/K`` with
    ``k = min{i in 0…K−1 : i/K < x ≤ (i+1)/K}``, and k = 0 at x = 0. Its gradient is ``α·σ(u)·(1−σ(u))/K``, u
    being σ's argument. As α grows, S becomes hard quantization to the K+1 values i/K.

    Other ranges are brought to [0, 1] and back. Below the range k is 0 and above it K−1, so S stays within
    the range for any input. The knots i/K are those of the input's floating-point type: an input equal to
    the rounded i/K lies on the knot.

    Args:
        levels: K, at least 1.
        alpha: α > 0, the slope of each sigmoid after the range was brought to [0, 1].
        vmin: The lower end of the value range.
        vmax: The upper end; above ``vmin``.

    Raises:
        UserError: A parameter is outside its range.
    """

    def __init__(self, levels: int, alpha: float, vmin: float = 0.0, vmax: float = 1.0) -> None:
        super().__init__()
        if levels < 1:
            raise UserError(f"Soft quantization needs at least 1 level, not {levels}.")
        if not (math.isfinite(alpha) and alpha > 0):
            raise UserError(f"The slope α of soft quantization is a positive number, not {alpha}.")
        if not (math.isfinite(vmin) and math.isfinite(vmax) and vmin < vmax):
            raise UserError(f"The value range [{vmin}, {vmax}] of soft quantization is empty or infinite.")
        self.levels = levels
        self.alpha = alpha
        self.vmin = vmin
        self.vmax = vmax

    def forward(self, images: Images) -> Images:
        unit = (images - self.vmin) / (self.vmax - self.vmin)
        inner_knots = torch.arange(1, self.levels, dtype=unit.dtype, device=unit.device) / self.levels
        # bucketize counts the inner knots below x, which is k, at the knots and outside the range too.
        # It wants contiguous values, which channels-last images are not, and warns while it copies others.
        k = torch.bucketize(unit.detach().contiguous(), inner_knots).to(unit.dtype)
        slope = torch.sigmoid(self.alpha * (unit - (2 * k + 1) / (2 * self.levels)))
        return self.vmin + (self.vmax - self.vmin) * (slope + k) / self.levels

    def gentle(self) -> "SoftQuantization":
        """A copy whose slope leaves a gradient everywhere, for an attack to differentiate in its place."""
        return SoftQuantization(
            self.levels, min(self.alpha, GENTLE_SLOPE * self.levels), self.vmin, self.vmax
        )

    def extra_repr(self) -> str:
        return f"levels={self.levels}, alpha={self.alpha:g}, range=[{self.vmin:g}, {self.vmax:g}]"


def quantized(network: nn.Module, levels: int, alpha: float) -> Defense:
    """The defense that puts soft quantization before a network, with every view."""
    layer = SoftQuantization(levels, alpha)
    return Defense(network, layer=layer, smooth=layer.gentle())
