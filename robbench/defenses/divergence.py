"""The Kullback-Leibler divergence between the outputs of a network."""

import torch
from torch import Tensor
from torch.nn import functional

from robbench.tensors import Logits, PerSample


def divergence(reference: Logits, logits: Logits) -> PerSample:
    """KL(p ‖ q) of each sample, p = softmax of ``reference`` and q of ``logits``, with a gradient in both.

    Computed in float32 at least: in bfloat16, close outputs would have no divergence at all.
    """
    return functional.kl_div(
        _log_softmax(logits), _log_softmax(reference), log_target=True, reduction="none"
    ).sum(1)


def _log_softmax(logits: Logits) -> Tensor:
    return functional.log_softmax(logits, dim=1, dtype=torch.promote_types(logits.dtype, torch.float32))
