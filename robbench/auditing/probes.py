"""What is measured on a model directly, kept as plain numbers."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class GradientCounts:
    """The input gradients of one view, one per sample, at a random point of the ball.

    Attributes:
        zero: Samples whose gradient of the cross-entropy is zero in every pixel.
        margin_zero: The same for the CW margin loss, which does not underflow where a classifier is certain.
        not_finite: Samples whose gradient holds NaN or infinity.
        zero_pixels: The share of pixels whose derivative is zero, over all samples, from 0 to 1.
    """

    zero: int
    margin_zero: int
    not_finite: int
    zero_pixels: float


@dataclass(frozen=True)
class StandInCounts:
    """PGD on a stand-in whose predictions are not the defense's.

    Attributes:
        fooled: Samples of which some iterate fools the stand-in.
        transferred: Those of them of which some iterate fools the defense too.
    """

    fooled: int
    transferred: int


@dataclass(frozen=True)
class Probes:
    """The probes of one defense, on the samples it gets right, at the largest ε of the audit.

    Attributes:
        epsilon: That ε, pixel scale.
        samples: How many samples.
        gradients: By view, ``exact`` first.
        compared: Samples with a gradient at both of two points one PGD step apart.
        turned: Those of them whose two gradients are more than 60 degrees apart.
        broken: Samples of which some iterate of PGD is adversarial.
        silent: Those of them of which the last iterate is not.
        rising: Samples that PGD did not break and whose loss its last quarter still raised by more than 5 %
            of the whole rise.
        loss_curve: The mean loss at every iterate, the start included; of the samples PGD did not break, or
            of all where it broke all; of losses that stay finite.
        stand_ins: By view, those whose predictions are not the defense's.
        classified: Images classified several times, wrong ones included.
        evaluations: How often.
        changed: Samples whose class was not the same each time.
        spread: The largest difference of a logit between two evaluations, as a share of the logits' standard
            deviation.
    """

    epsilon: float
    samples: int
    gradients: dict[str, GradientCounts]
    compared: int
    turned: int
    broken: int
    silent: int
    rising: int
    loss_curve: list[float]
    stand_ins: dict[str, StandInCounts]
    classified: int
    evaluations: int
    changed: int
    spread: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Probes":
        """Read what :meth:`to_json` wrote."""
        gradients = {view: GradientCounts(**counts) for view, counts in values["gradients"].items()}
        stand_ins = {view: StandInCounts(**counts) for view, counts in values["stand_ins"].items()}
        return cls(**{**values, "gradients": gradients, "stand_ins": stand_ins})
