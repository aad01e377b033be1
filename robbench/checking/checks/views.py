"""Whether views stand for the defense that they stand in for."""

from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.wording import percent

_HALF = 0.5


@register_check("views agree", order=130)
def views_agree(subject: Subject) -> Finding:
    """Compares the logits of views whose forward pass is exact, and the predictions of the others."""
    stand_ins = [view for view in subject.defense.views if view != "exact"]
    if not stand_ins:
        return Finding("skipped", "There is no view but the defense itself.")
    exact = subject.logits(subject.samples.images)
    agreement = {}
    for view in stand_ins:
        answers = subject.logits(subject.samples.images, view)
        if subject.defense.forwards_exactly(view) and not answers.equal(exact):
            return Finding(
                "failure",
                f"{view}: its logits differ from the defense's by up to {(answers - exact).abs().max():.3g}.",
                "Its forward pass should be the defense's own. Does the layer draw numbers, or keep a state?",
            )
        agreement[view] = (answers.argmax(1) == exact.argmax(1)).float().mean()
    found = "Predictions as the defense's: " + ", ".join(
        f"{view} {percent(agreement[view])}" for view in stand_ins
    )
    if min(agreement.values()) >= _HALF:
        return Finding("pass", f"{found}.")
    return Finding(
        "warning", f"{found}.", "Attacks on a view that predicts otherwise aim at another classifier."
    )
