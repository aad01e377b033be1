"""How much a training's seed changes: NSQ and PGD-AT on MNIST, three seeds each."""

from robbench.analysis.protocols import STRONGER
from robbench.reproducing.collecting import collect_alike, found_on, remarks
from robbench.reproducing.contract import Collected
from robbench.reproducing.curve_targets import TableTarget, attacks_of
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun, Training

SEEDS = (0, 1, 2)


def _run(defense: str, seed: int) -> PaperRun:
    """Seed 0 is the ordinary model; the others lie where ``robbench train --seed 0,1,2`` puts them."""
    folder = f"seed-{seed}" if seed else ""
    training = Training("mnist", defense, seed=seed, folder=folder)
    return PaperRun(training, STRONGER, attacks_of(STRONGER, 100), label=f"{defense}, seed {seed}")


@register_target
class Seeds(TableTarget):
    """The same training three times over: what of a difference between defenses is chance."""

    name = "seeds"
    title = "Three seeds"
    caption = "MNIST: NSQ and PGD-AT trained from three seeds, any iterate counts"
    runs = tuple(_run(defense, seed) for defense in ("nsq", "pgd-at") for seed in SEEDS)

    def collect(self, shelf: Shelf) -> Collected | None:
        found = found_on(shelf, self.runs)
        return Collected(collect_alike(found), remarks(found, shelf, together=True))
