"""Table 1: ImageNet, Inception-v3 as it is and fine-tuned as NSQ, at ε = 4/255, top-1 and top-5."""

from matplotlib.figure import Figure

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.reproducing.collecting import collect_curves, found_on, remarks
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun, Training
from robbench.reproducing.tables import accuracy_table
from robbench.text_table import TextTable

NATURAL = Training("imagenet", "natural", adopted=True)
NSQ = Training("imagenet", "nsq", start="natural")


def imagenet_runs(natural: Training, nsq: Training, label: str = "") -> tuple[PaperRun, ...]:
    """The runs of Table 1, for either criterion, at ε = 4/255.

    Args:
        natural: The network as it is.
        nsq: The same, fine-tuned behind soft quantization.
        label: What stands before the names of the defenses.
    """
    return tuple(
        PaperRun(
            training, protocol, attacks, label=f"{label}{training.defense}", eps_grid="", criterion=criterion
        )
        for criterion in ("top1", "top5")
        for training, protocol, attacks in (
            (natural, PAPER, ("pgd20",)),
            (nsq, PAPER, ("pgd20", "bpda20-substitute")),
            (nsq, STRONGER, ("pgd20", "bpda20")),
        )
    )


@register_target
class Table1(Target):
    """Accuracies at ε = 0 and 4/255; images are streamed, so that memory stays flat at 50 000 of them."""

    name = "table1"
    title = "Table 1"
    caption = "ImageNet: Inception-v3, Natural and NSQ (K = 8, α = 10 000), at ε = 4/255, top-1 and top-5"
    runs = imagenet_runs(NATURAL, NSQ)

    def collect(self, shelf: Shelf) -> Collected | None:
        notes = remarks(found_on(shelf, self.runs), shelf)
        if any(shelf.stored(run) is None for run in self.runs):
            notes.append("The numbers await a machine with ImageNet: its images and weights are not shipped.")
        return Collected(collect_curves(self.runs, shelf), notes)

    def draw(self, collected: Collected) -> Figure | None:
        return None

    def table(self, collected: Collected) -> TextTable | None:
        return accuracy_table(collected.data, f"{self.title}: accuracy in %")
