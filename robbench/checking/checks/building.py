"""Whether the same defense comes out of every build."""

from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check


@register_check("same when rebuilt", order=10)
def same_when_rebuilt(subject: Subject) -> Finding:
    """Builds the defense a second time and compares every tensor."""
    before, again = subject.loaded.weights_sha256, subject.rebuild().weights_sha256
    if before == again:
        return Finding("pass", f"Two builds have the same weights ({before[:8]}…).")
    return Finding(
        "failure",
        f"Two builds have different weights ({before[:8]}…, {again[:8]}…).",
        "Load trained weights in the factory, or seed what it draws by torch.manual_seed. Otherwise nobody, "
        "and no interrupted run, gets this defense again.",
    )
