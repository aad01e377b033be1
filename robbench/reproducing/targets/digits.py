"""Figure 3 on digits: the paper's story on the dataset that comes with robbench, in minutes on a CPU."""

from robbench.reproducing.curve_targets import CurveTarget, four_defenses
from robbench.reproducing.registration import register_target


@register_target
class Digits(CurveTarget):
    """As Figure 3, on scikit-learn's digits, which are not in the paper."""

    name = "digits"
    title = "Figure 3 on digits"
    caption = "Digits (not in the paper): four defenses under PGD and BPDA of 100 steps, with 95 % bands"
    runs = four_defenses("digits", 100)
