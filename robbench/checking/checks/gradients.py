"""Whether there are gradients for an attack to follow."""

from collections.abc import Callable

import torch
from torch import Tensor

from robbench.attacks.losses import cross_entropy, cw_margin
from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.devices import arithmetic
from robbench.sweep.rounding import KEPT, rise_kept
from robbench.tensors import Images, Labels, Logits, PerSample
from robbench.threat import get_norm
from robbench.wording import percent

_MANY = 0.5
"""A share of images without a gradient from which attacks along it are hopeless."""
_SOME = 0.05


@register_check("gradients", order=100)
def gradients(subject: Subject) -> Finding:
    """Differentiates the cross-entropy, and where that vanishes the margin loss, in the pixels."""
    gradient = subject.gradient("exact", cross_entropy)
    if broken := _not_finite(gradient):
        return broken
    zero = _dead(gradient)
    if zero < _SOME:
        size = gradient.flatten(1).norm(dim=1).median()
        return Finding(
            "pass", f"{percent(1 - zero)} of the images have one, finite, of median length {size:.2g}."
        )
    found = f"{percent(zero)} of the images have a gradient of exactly zero."
    if _dead(subject.gradient("exact", cw_margin)) < _SOME:
        return Finding(
            "warning",
            f"{found} That of the margin loss is not zero: the softmax is saturated.",
            "Attack with the margin loss too, as pgd100-cw: on the cross-entropy attacks stand still.",
        )
    if zero < _MANY:
        return Finding("warning", found, "Attack without gradients too, as by square.")
    return _without_gradient(subject, found)


@register_check("views have gradients", order=110)
def views_have_gradients(subject: Subject) -> Finding:
    """Differentiates every view that stands in for the exact defense."""
    stand_ins = [view for view in subject.defense.views if view != "exact"]
    if not stand_ins:
        return Finding("skipped", "There is no view but the defense itself.")
    for view in stand_ins:
        gradient = subject.gradient(view, cross_entropy)
        if broken := _not_finite(gradient):
            return Finding("failure", f"{view}: {broken.found}", broken.advice)
        if _dead(gradient) > _MANY and _dead(subject.gradient(view, cw_margin)) > _MANY:
            return Finding(
                "failure",
                f"{view}: {percent(_dead(gradient))} of the images have a gradient of exactly zero.",
                "A view is there for its gradient: replace what has none by something smooth.",
            )
    return Finding("pass", f"{', '.join(stand_ins)}: finite, and not zero.")


@register_check("bfloat16", order=120)
def bfloat16(subject: Subject) -> Finding:
    """Takes the gradient in the arithmetic of attack steps on devices that are made for it."""
    with arithmetic(subject.device, "bfloat16"):
        try:
            gradients = _gradients(subject)
            rounded = subject.logits(subject.few.images).argmax(1)
        except Exception as error:
            return Finding(
                "warning",
                f"In bfloat16 it raises {type(error).__name__}: {error}",
                "Run with --precision float32, or let forward not depend on the type of its tensors.",
            )
    if not all(torch.isfinite(gradient).all() for gradient in gradients):
        return Finding("warning", "In bfloat16 gradients are not finite.", "Run with --precision float32.")
    pairs = zip(_gradients(subject), gradients, strict=True)
    kept = min(rise_kept(*pair, get_norm("linf")) for pair in pairs)
    if kept < KEPT:
        return Finding(
            "warning",
            f"A step along the gradient in bfloat16 makes {percent(kept)} of the rise of one in float32.",
            "Leave --precision as it is: steps are then taken in float32, also where bfloat16 is faster.",
        )
    same = (rounded == subject.logits(subject.few.images).argmax(1)).float().mean()
    return Finding("pass", f"Attack steps work in bfloat16; {percent(same)} of the predictions are the same.")


def _gradients(subject: Subject) -> list[Images]:
    """The gradients of both losses in the arithmetic of the surroundings."""

    def gradient(loss: Callable[[Logits, Labels], PerSample]) -> Images:
        return subject.gradient("exact", lambda logits, labels: loss(logits.float(), labels))

    return [gradient(cross_entropy), gradient(cw_margin)]


def _without_gradient(subject: Subject, found: str) -> Finding:
    views = [view for view in subject.defense.views if view != "exact"]
    if views:
        return Finding(
            "warning",
            found,
            f"Attacks on the defense itself find nothing, which is no robustness: attack the views "
            f"{', '.join(views)} too, as --attacks pgd100,bpda.",
        )
    return Finding(
        "failure",
        found,
        "Attacks along it find nothing, which is no robustness. Name the layer that stops it, "
        "Defense(network, layer=...), so that the view bpda steps around it; and use no .detach(), "
        "torch.no_grad() or numpy in forward.",
    )


def _dead(gradient: Images) -> Tensor:
    return gradient.flatten(1).eq(0).all(1).float().mean()


def _not_finite(gradient: Images) -> Finding | None:
    broken = (~torch.isfinite(gradient)).flatten(1).any(1).float().mean()
    if not broken:
        return None
    return Finding(
        "failure",
        f"{percent(broken)} of the images have a gradient that is NaN or infinite.",
        "The usual reason is a root, a logarithm or a division at 0; add a small number before it.",
    )
