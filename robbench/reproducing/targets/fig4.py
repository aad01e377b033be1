"""Figure 4: CIFAR-10, four defenses under PGD and BPDA with 20 steps."""

from robbench.reproducing.curve_targets import CurveTarget, four_defenses
from robbench.reproducing.registration import register_target


@register_target
class Figure4(CurveTarget):
    """Four panels by the paper's protocol, and the same under stronger attacks."""

    name = "fig4"
    title = "Figure 4"
    caption = "CIFAR-10: four defenses under PGD and BPDA of 20 steps, with 95 % bands"
    runs = four_defenses("cifar10", 20)
