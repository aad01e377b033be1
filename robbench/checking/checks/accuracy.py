"""Whether the defense classifies at all."""

import numpy as np

from robbench.analysis.intervals import wilson
from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.wording import percent


@register_check("clean accuracy", order=140)
def clean_accuracy(subject: Subject) -> Finding:
    """Compares the accuracy on unperturbed images, with its Wilson 95 % interval, with guessing."""
    right = int(subject.correct(subject.samples.images).sum())
    total = len(subject.samples.ids)
    low, high = (float(end) for end in wilson(np.array(right), np.array(total)))
    found = f"{percent(right / total)} of {total} images are right ({100 * low:.1f} – {100 * high:.1f})."
    if low > 1 / subject.classes:
        return Finding("pass", found)
    return Finding(
        "warning",
        f"{found} Guessing gives {percent(1 / subject.classes)}.",
        "Are trained weights loaded? Are the classes in the order of the dataset's labels?",
    )
