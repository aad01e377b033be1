"""Whether the defense takes images as they come: in [0, 1], and left as they were."""

import numpy as np
from torch import Tensor

from robbench.analysis.paired import newcombe, paired_counts
from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.defenses.check import writes_into
from robbench.tensors import Images
from robbench.wording import percent

_LEAST_GAIN = 0.05
"""Points of accuracy below which another range is no better."""


@register_check("input range", order=40)
def input_range(subject: Subject) -> Finding:
    """Shows the images on other scales: a network that prefers one was trained there.

    The gain must be at least 5 points, and Newcombe's 99.9 % interval of it above 0.
    """
    own = subject.correct(subject.samples.images)
    answers = {scale: subject.correct(images) for scale, images in _rescaled(subject.samples.images).items()}
    best = max(answers, key=lambda scale: int(answers[scale].sum()))
    counts = paired_counts(_column(own), _column(answers[best]))
    accuracy, other = own.float().mean(), answers[best].float().mean()
    if other - accuracy < _LEAST_GAIN or newcombe(counts, 0.999).low[0] <= 0:
        return Finding(
            "pass", f"{percent(accuracy)} correct in [0, 1], {percent(other)} on the best other scale."
        )
    return Finding(
        "warning",
        f"{percent(accuracy)} correct on images in [0, 1], but {percent(other)} on {best}.",
        f"Let the defense itself turn images in [0, 1] into {best}, at the start of forward: ε is measured "
        "on images in [0, 1].",
    )


@register_check("input kept", order=50)
def input_kept(subject: Subject) -> Finding:
    """Looks whether any view writes into the images that it is shown."""
    for view in subject.defense.views:
        images = subject.few.images
        if writes_into(subject.defense.view(view), images):
            changed = (images != subject.few.images).float().mean()
            return Finding(
                "failure",
                f"The view {view!r} changes {percent(changed)} of the pixels that it is given.",
                "Replace in-place operations on the input, such as clamp_, by those that make a new one.",
            )
    return Finding("pass", "The images are left as they were.")


def _rescaled(images: Images) -> dict[str, Images]:
    """The images on the scales that networks are commonly trained on."""
    mean, deviation = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    return {
        "[-1, 1]": 2 * images - 1,
        "[0, 255]": 255 * images,
        "mean 0 and deviation 1 per channel": (images - mean) / deviation.clamp_min(1e-6),
    }


def _column(correct: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    return correct.cpu().numpy()[:, None]
