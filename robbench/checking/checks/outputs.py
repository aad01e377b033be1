"""Whether the answers are logits of the classes."""

import torch

from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.defenses.check import check_defense
from robbench.wording import percent

_ROUNDING = 1e-3
"""How far from 1 the sum of float32 probabilities may be."""


@register_check("output", order=20, essential=True)
def output(subject: Subject) -> Finding:
    """Asks every view for finite logits (n, classes), for one image and for many."""
    check_defense(subject.loaded, subject.few, subject.classes, subject.device)
    answered = subject.logits(subject.few.images).shape[1]
    views = f"{len(subject.defense.views)} views answer" if len(subject.defense.views) > 1 else "It answers"
    found = f"{views} with {answered} finite numbers per image, for one image and for {len(subject.few.ids)}."
    if answered == subject.classes:
        return Finding("pass", found)
    return Finding(
        "warning",
        f"{found} There are {subject.classes} classes.",
        "A prediction outside the classes counts as wrong. Cut the logits to the classes of the dataset.",
    )


@register_check("logits", order=30)
def logits(subject: Subject) -> Finding:
    """Looks for a softmax at the end, whose gradient vanishes where the network is sure."""
    answers = subject.logits(subject.samples.images)
    sums = (answers.sum(1) - 1).abs()
    if answers.min() < 0 or sums.max() > _ROUNDING:
        return Finding("pass", f"Logits from {answers.min():.3g} to {answers.max():.3g}, no probabilities.")
    sure = torch.mean((answers.amax(1) == 1).float())
    return Finding(
        "warning",
        f"The rows are probabilities: none below 0, each row sums to 1; {percent(sure)} are exactly 1.",
        "Return what comes before the softmax: behind it gradients vanish, and a robustness that is none "
        "is measured.",
    )
