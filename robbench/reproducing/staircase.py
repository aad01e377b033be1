"""Soft quantization sampled on a line: its values and, by automatic differentiation, its gradient."""

import pandas as pd

_DIGITS = 10
"""Decimals kept, so that another machine's rounding gives the same file."""


def sample_staircase(levels: int, alpha: float, points: int) -> pd.DataFrame:
    """S and its gradient on [0, 1].

    Args:
        levels: K, the steps of the staircase.
        alpha: α, the slope of each.
        points: How many, evenly spaced, both ends included.

    Returns:
        ``x``, ``value`` and ``gradient``.
    """
    import torch

    from robbench.defenses.soft_quantization import SoftQuantization

    # In float64, and as a row of pixels, which is what the layer takes.
    line = torch.linspace(0, 1, points, dtype=torch.float64).reshape(1, 1, 1, points).requires_grad_()
    values = SoftQuantization(levels, alpha)(line)
    (gradient,) = torch.autograd.grad(values.sum(), line)
    columns = {"x": line.detach(), "value": values.detach(), "gradient": gradient}
    return pd.DataFrame({name: column.flatten().numpy() for name, column in columns.items()}).round(_DIGITS)
