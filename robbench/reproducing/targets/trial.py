"""A trial of Table 1's path on sample photographs with made-up weights; its numbers mean nothing."""

from matplotlib.figure import Figure

from robbench.reproducing.collecting import collect_curves
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import Training
from robbench.reproducing.tables import accuracy_table
from robbench.reproducing.targets.table1 import imagenet_runs
from robbench.text_table import TextTable

IMAGES = 4
_FOLDER = "trial"
_NOTE = (
    f"These are not ImageNet's numbers: {IMAGES} sample photographs, and weights made up so that they tell "
    "these apart. They show that image folder, network, layer, attacks and both criteria work together."
)


@register_target
class Trial(Target):
    """The path of Table 1 without its images and weights."""

    name = "table1-trial"
    title = "Trial of Table 1’s path"
    caption = f"{IMAGES} sample photographs through Inception-v3 with made-up weights: not ImageNet’s numbers"
    trial_runs = imagenet_runs(
        Training("imagenet", "natural", folder=_FOLDER),
        Training("imagenet", "nsq", folder=_FOLDER),
        label="trial of ",
    )

    def compute(self, shelf: Shelf) -> None:
        from robbench.reproducing.imagenet_trial import run_trial

        run_trial(self.trial_runs, shelf, IMAGES)

    def collect(self, shelf: Shelf) -> Collected | None:
        if all(shelf.stored(run) is None for run in self.trial_runs):
            return None
        return Collected(collect_curves(self.trial_runs, shelf), [_NOTE])

    def draw(self, collected: Collected) -> Figure | None:
        return None

    def table(self, collected: Collected) -> TextTable | None:
        return accuracy_table(collected.data, f"{self.title}: accuracy in %, not ImageNet’s")
