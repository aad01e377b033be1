"""Whether an image's logits are its own: the same each time, and in any company."""

import torch

from robbench.checking.contract import FEW, Finding, Subject
from robbench.checking.registration import register_check
from robbench.defenses.expectation import ROUNDING, spread_of
from robbench.wording import percent

_COMPANY = 1e-3
"""How much logits may differ in different company, as a share of their spread; rounding stays far below."""


@register_check("deterministic", order=60)
def deterministic(subject: Subject) -> Finding:
    """Passes the same images forward twice, with other seeds."""
    answers = torch.stack([subject.logits(subject.samples.images, seed=seed) for seed in (0, 1)])
    spread, classes = spread_of(answers), answers.argmax(2)
    if spread <= ROUNDING:
        return Finding("pass", f"Two forward passes differ by at most {spread:.1g} of the logits' deviation.")
    changed = (classes[0] != classes[1]).float().mean()
    return Finding(
        "warning",
        f"Two forward passes differ by up to {(answers[0] - answers[1]).abs().max():.3g}; "
        f"{percent(changed)} of the predictions change.",
        "Dropout or noise in eval mode? If it is meant: robbench attacks and judges the mean of several "
        "draws (--draws; EOT, Athalye et al. 2018, arXiv:1802.00420). By single draws a defense looks more "
        "robust against gradients than it is, and less against whoever may try often.",
    )


@register_check("batch independence", order=70)
def batch_independence(subject: Subject) -> Finding:
    """Gives the same images other companions in a batch of the same size, under the same seed."""
    images = subject.samples.images
    kept = images[: min(FEW, max(1, len(images) // 2))]
    others = images[len(kept) :][: len(kept)]
    if not len(others):
        return Finding("skipped", "There is a single sample.")
    companions = (others, 1 - others)
    one, two = (subject.logits(torch.cat([kept, each]))[: len(kept)] for each in companions)
    spread = float((one.amax(1) - one.amin(1)).mean())
    shift = float((one - two).abs().max()) / max(spread, torch.finfo(one.dtype).tiny)
    if shift <= _COMPANY:
        return Finding("pass", f"In other company logits move by at most {shift:.1g} of their spread.")
    return Finding(
        "failure",
        f"In other company an image's logits move by up to {percent(shift)} of their spread.",
        "The logits of an image may depend on nothing but the image. The usual reason is BatchNorm without "
        "running statistics, or kept in training mode.",
    )
