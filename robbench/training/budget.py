"""How long trainings that are to be compared may last: passes over the data, or seconds."""

from dataclasses import dataclass
from typing import Literal

from robbench.errors import UserError

Unit = Literal["epochs", "seconds"]
MOST = 1e9
"""Epochs or seconds at most: more than anybody waits for, and few enough to reckon iterations from."""
_EXAMPLE = "Write --budget epochs=15 or --budget seconds=120."


@dataclass(frozen=True)
class Budget:
    """What a training may spend.

    Attributes:
        unit: ``epochs``: passes over the training images, as each optimizer step sees them, so that a batch
            that is replayed m times counts m times (Shafahi et al. 2019, arXiv:1904.12843). ``seconds``: time
            in training on this machine, nothing else included.
        amount: How many; positive, and at most :data:`MOST`.
    """

    unit: Unit
    amount: float

    def __post_init__(self) -> None:
        if not 0 < self.amount <= MOST:
            raise UserError(
                f"A budget is more than 0 {self.unit} and at most {MOST:.0f}, not {self.amount}.", _EXAMPLE
            )

    def __str__(self) -> str:
        short = f"{self.amount:g}"
        # It is read again from cards and their commands, where six digits may be another amount.
        exact = short if float(short) == self.amount else repr(float(self.amount)).removesuffix(".0")
        return f"{self.unit}={exact}"


def parse_budget(text: str) -> Budget:
    """A budget as a user writes it.

    Raises:
        UserError: Not ``epochs=`` or ``seconds=`` and a positive number.
    """
    unit, equals, number = (part.strip() for part in text.partition("="))
    if not (equals and number) or (unit != "epochs" and unit != "seconds"):
        raise UserError(f"{text!r} is no budget.", _EXAMPLE)
    try:
        amount = float(number)
    except ValueError:
        raise UserError(f"A budget is a number of {unit}, not {number!r}.", _EXAMPLE) from None
    return Budget(unit, amount)


def steps_of_epochs(epochs: float, steps_per_epoch: int) -> int:
    """The optimizer steps of some epochs, rounded.

    Raises:
        UserError: They round to no step.
    """
    steps = round(epochs * steps_per_epoch)
    if steps < 1:
        raise UserError(
            f"{epochs:g} epochs are less than one of the {steps_per_epoch} steps of an epoch.", _EXAMPLE
        )
    return steps
