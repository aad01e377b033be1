"""The Kullback-Leibler divergence between a network's outputs, and the objective that it makes up."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.defenses.batch import TrainingBatch
from robbench.tensors import Images, Logits, PerSample


def divergence(reference: Logits, logits: Logits) -> PerSample:
    """KL(p ‖ q) of each sample, p = softmax of ``reference`` and q of ``logits``, with a gradient in both.

    Computed in float32 at least: in bfloat16, close outputs would have no divergence at all.
    """
    return functional.kl_div(
        _log_softmax(logits), _log_softmax(reference), log_target=True, reduction="none"
    ).sum(1)


def stable_cross_entropy(model: nn.Module, batch: TrainingBatch, perturbed: Images, weight: float) -> Tensor:
    """The objective ℓ(x) + w·KL(p(x) ‖ p(x')) of a batch: right on the images, and the same beside them.

    The form of Zheng et al. 2016, arXiv:1604.04326, and of TRADES, Zhang et al. 2019, arXiv:1901.08573. The
    gradient goes through both outputs.

    Args:
        model: The classifier, in training mode.
        batch: The images x and their labels.
        perturbed: x', one for each image.
        weight: w.
    """
    natural = model(batch.images)
    return batch.cross_entropy(natural) + weight * divergence(natural, model(perturbed)).mean()


def _log_softmax(logits: Logits) -> Tensor:
    return functional.log_softmax(logits, dim=1, dtype=torch.promote_types(logits.dtype, torch.float32))
