"""How much a training's seed changes: NSQ and PGD-AT on MNIST, three seeds each."""

from matplotlib.figure import Figure

from robbench.analysis.protocols import STRONGER
from robbench.reproducing.collecting import collect_curves, found_on, remarks
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.curve_targets import attacks_of
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun, Training
from robbench.reproducing.tables import accuracy_table
from robbench.text_table import TextTable

SEEDS = (0, 1, 2)


def _run(defense: str, seed: int) -> PaperRun:
    """Seed 0 is the ordinary model; the others lie where ``robbench train --seed 0,1,2`` puts them."""
    folder = f"seed-{seed}" if seed else ""
    training = Training("mnist", defense, seed=seed, folder=folder)
    return PaperRun(training, STRONGER, attacks_of(STRONGER, 100), label=f"{defense}, seed {seed}")


@register_target
class Seeds(Target):
    """The same training three times over: what of a difference between defenses is chance."""

    name = "seeds"
    title = "Three seeds"
    caption = "MNIST: NSQ and PGD-AT trained from three seeds, any iterate counts"
    runs = tuple(_run(defense, seed) for defense in ("nsq", "pgd-at") for seed in SEEDS)

    def collect(self, shelf: Shelf) -> Collected | None:
        return Collected(collect_curves(self.runs, shelf), remarks(found_on(shelf, self.runs), shelf))

    def draw(self, collected: Collected) -> Figure | None:
        return None

    def table(self, collected: Collected) -> TextTable | None:
        return accuracy_table(collected.data, f"{self.title}: accuracy in %")
