"""Figure 7: CIFAR-10, NSQ of K = 2, 3, 4 levels under the paper's BPDA, α = 10000 × 255."""

from robbench.reproducing.curve_targets import CurveTarget
from robbench.reproducing.level_targets import level_runs
from robbench.reproducing.registration import register_target


@register_target
class Figure7(CurveTarget):
    """How the number of levels changes NSQ, at one slope."""

    name = "fig7"
    title = "Figure 7"
    caption = "CIFAR-10: NSQ of K levels under the paper’s BPDA of 20 steps, α = 10000 × 255, with 95 % bands"
    runs = level_runs(10000)
