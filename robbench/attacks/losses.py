"""The losses that gradient attacks ascend, one number per sample."""

import torch
from torch.nn import functional

from robbench.tensors import Labels, Logits, PerSample

CONFIDENCE = 50.0
"""κ of the CW margin loss, as in the MNIST challenge code of Madry et al."""


def cross_entropy(logits: Logits, labels: Labels) -> PerSample:
    """-log softmax(logits)[label]."""
    return functional.cross_entropy(logits, labels, reduction="none")


def cw_margin(logits: Logits, labels: Labels) -> PerSample:
    """The CW∞ loss in Madry's form: ``-relu(z_y - max_{j≠y} z_j + κ)``, κ = 50.

    Its gradient lives until another class leads by κ, so a misclassified image is pushed on. From the
    MNIST challenge code (pgd_attack.py) of Madry et al. 2018, arXiv:1706.06083; the idea is Carlini and
    Wagner's (2017).
    """
    true = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    other = logits.scatter(1, labels.unsqueeze(1), -torch.inf).amax(1)
    return -functional.relu(true - other + CONFIDENCE)


LOSSES = {"ce": cross_entropy, "cw": cw_margin}
"""The native losses by the names that attacks use."""
