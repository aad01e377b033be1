"""The headline: what is left of NSQ as the attack grows stronger, on each dataset."""

import pandas as pd
from matplotlib.figure import Figure

from robbench.analysis.protocols import STRONGER
from robbench.analysis.worst_of import WORST_OF
from robbench.figures.attack_ladder import draw_ladder
from robbench.reproducing.collecting import DONE, collect_together, found_on, of_one_model, remarks
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.curve_targets import attacks_of
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun, Training
from robbench.reproducing.tables import accuracy_table
from robbench.text_table import TextTable

_STEPS = {"digits": 100, "mnist": 100, "cifar10": 20}
_KINDS = {
    "pgd": "PGD",
    "substitute": "the paper’s BPDA: layer left out",
    "bpda": "BPDA: layer kept forward",
    "smooth": "BPDA through a gentler layer",
    "square": "Square, no gradient",
    "worst": "worst of all, both losses",
}


def _runs(dataset: str, steps: int) -> tuple[PaperRun, PaperRun]:
    """The run that Figures 3 and 4 have anyway, and the attacks that it lacks."""
    training = Training(dataset, "nsq")
    extra = (f"bpda{steps}-substitute", "square@torchattacks")
    return (
        PaperRun(training, STRONGER, attacks_of(STRONGER, steps)),
        PaperRun(training, STRONGER, extra, part="extra"),
    )


@register_target
class Headline(Target):
    """NSQ under PGD, three kinds of BPDA, Square and the worst of all."""

    name = "headline"
    title = "What stronger attacks leave of NSQ"
    caption = "NSQ under ever stronger attacks; any iterate counts, with 95 % bands"
    runs = tuple(run for dataset, steps in _STEPS.items() for run in _runs(dataset, steps))

    def collect(self, shelf: Shelf) -> Collected | None:
        found = [of_one_model(found_on(shelf, _runs(dataset, steps))) for dataset, steps in _STEPS.items()]
        data = pd.concat(map(collect_together, found), ignore_index=True)
        together = {run: there for runs in found for run, there in runs.items()}
        return Collected(data, remarks(together, shelf, together=True))

    def draw(self, collected: Collected) -> Figure | None:
        data = collected.data
        done = data.loc[data["state"] == DONE].astype({"epsilon": "float64"})
        done = done.assign(kind=[_kind(attack) for attack in done["attack"]])
        return draw_ladder(done, _KINDS, list(_STEPS), self.caption, collected.notes) if len(done) else None

    def table(self, collected: Collected) -> TextTable | None:
        return accuracy_table(collected.data, f"{self.title}: accuracy in %")


def _kind(attack: str) -> str:
    """Which curve of the picture an attack is; empty for those that count in the worst alone."""
    if attack == WORST_OF:
        return "worst"
    if attack.endswith("-cw"):
        return ""
    words = attack.partition("@")[0]
    named = next((kind for kind in ("substitute", "smooth", "square") if kind in words), "")
    return named or words.rstrip("0123456789")
