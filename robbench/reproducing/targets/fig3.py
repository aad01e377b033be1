"""Figure 3: MNIST, four defenses under PGD and BPDA with 100 steps."""

from robbench.reproducing.curve_targets import CurveTarget, four_defenses
from robbench.reproducing.registration import register_target


@register_target
class Figure3(CurveTarget):
    """Four panels by the paper's protocol, and the same under stronger attacks."""

    name = "fig3"
    title = "Figure 3"
    caption = "MNIST: four defenses under PGD and BPDA of 100 steps, with 95 % bands"
    runs = four_defenses("mnist", 100)
