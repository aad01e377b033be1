"""The runs of the parameter study: NSQ with several numbers of levels K at one slope α."""

from robbench.analysis.protocols import PAPER
from robbench.reproducing.sweeps import PaperRun, Training

LEVELS = (2, 3, 4)
_STEPS = 20
_PIXEL_VALUES = 255


def level_runs(slope: int) -> tuple[PaperRun, ...]:
    """The runs of one of Figures 5 to 7.

    Args:
        slope: α for pixels of 0 to 255, as the paper gives it.
    """
    attacks = (f"bpda{_STEPS}-substitute", f"bpda{_STEPS}-substitute-cw")
    return tuple(
        PaperRun(_training(levels, slope), PAPER, attacks, label=f"K = {levels}", part="levels")
        for levels in LEVELS
    )


def _training(levels: int, slope: int) -> Training:
    options = (("levels", levels), ("alpha", float(slope * _PIXEL_VALUES)))
    # The paper's own choice for CIFAR-10 is the ordinary model, which Figure 4 shows too.
    folder = "" if (levels, slope) == (2, 100) else f"k{levels}-a{slope}"
    return Training("cifar10", "nsq", options, folder=folder)
