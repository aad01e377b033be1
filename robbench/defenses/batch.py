"""One batch of a training, as a training objective sees it."""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from robbench.tensors import Images, Labels, Logits


@dataclass(frozen=True)
class TrainingBatch:
    """One batch of a training, with what an objective may draw on and what it may keep.

    Attributes:
        images: In [0, 1], on the training's device.
        labels: Their classes.
        generator: The source of every random number drawn for this batch, on the images' device.
        carried: Tensors that a recipe keeps from step to step, by names of its own choosing, such as the
            perturbation of free adversarial training. They are saved in checkpoints. A recipe reads, replaces
            and adds entries; the dictionary is the same one in every step.
        label_smoothing: Share of each target that is spread over all classes, from 0 to below 1.
    """

    images: Images
    labels: Labels
    generator: torch.Generator
    carried: dict[str, Tensor] = field(default_factory=dict)
    label_smoothing: float = 0.0

    def cross_entropy(self, logits: Logits, reduction: str = "mean") -> Tensor:
        """The cross-entropy with the training's label smoothing, for the loss that is minimised.

        An inner attack climbs the plain cross-entropy instead: it looks for errors, and smoothed labels are
        no errors.

        Args:
            logits: Of the batch's images, perturbed or not.
            reduction: ``mean`` or ``sum``.
        """
        smoothing = self.label_smoothing
        return functional.cross_entropy(logits, self.labels, reduction=reduction, label_smoothing=smoothing)
