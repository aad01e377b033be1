"""The sweeps behind a target: which model meets which attacks, under which reading of success."""

from dataclasses import dataclass

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.epsilon import natural_unit
from robbench.models import StoredModel
from robbench.registry import suggest
from robbench.spec import CANONICAL, SweepSpec

STRATEGIES = {PAPER: "independent", STRONGER: "survivors"}
"""How the grid is swept under either protocol; see :mod:`robbench.analysis.protocols`."""


@dataclass(frozen=True)
class Training:
    """A trained model that a run needs.

    Attributes:
        dataset: A registered dataset.
        defense: A registered defense.
        options: Options that differ from the paper's for this dataset, as ``levels`` and ``alpha``.
        seed: The seed of the training.
        folder: The folder inside the directory of models; empty for the ordinary model of the defense.
        budget: What it may spend, as ``epochs=15``, under the plan of its dataset; empty: it is trained as
            its recipe says.
        watched: Whether images are held out to watch it for catastrophic overfitting.
        start: The defense whose weights it begins with; empty: random ones.
        adopted: Whether its weights are others', taken over by ``robbench adopt``.
    """

    dataset: str
    defense: str
    options: tuple[tuple[str, int | float], ...] = ()
    seed: int = 0
    folder: str = ""
    budget: str = ""
    watched: bool = False
    start: str = ""
    adopted: bool = False

    def command(self) -> str:
        """What a user types to train it."""
        if self.adopted:
            return f"robbench adopt --dataset {self.dataset}"
        parts = [f"robbench train --defense {self.defense} --dataset {self.dataset}"]
        parts += [f"--set {key}={_typed(key, value)}" for key, value in self.options]
        parts += [f"--budget {self.budget}"] if self.budget else []
        parts += ["--watch"] if self.watched else []
        parts += [f"--start {self.start}"] if self.start else []
        parts += [f"--seed {self.seed}"] if self.seed else []
        parts += [f"--models-dir models/{self.folder}"] if self.folder else []
        return " ".join(parts)

    def is_met_by(self, model: StoredModel) -> bool:
        """Whether a stored model has these options and this seed, however long it was trained."""
        card = model.card
        options = dict(self.options)
        begun = bool(card.start) == bool(self.start or self.adopted)
        watched = card.watch is not None or not self.watched
        same = card.seed == self.seed and all(card.options.get(k) == options[k] for k in options)
        return begun and watched and same


@dataclass(frozen=True)
class PaperRun:
    """One sweep: one model, one protocol.

    Attributes:
        training: The model.
        protocol: ``paper`` or ``stronger``.
        attacks: Canonical attack names.
        label: What figures call the curves; empty: the defense's name.
        part: Tells runs apart that have model and protocol in common.
        eps_grid: As in :class:`robbench.spec.SweepSpec`.
        criterion: ``top1`` or ``top5``.
        most: How many samples at most, from the first; None: all.
    """

    training: Training
    protocol: str
    attacks: tuple[str, ...]
    label: str = ""
    part: str = ""
    eps_grid: str = CANONICAL
    criterion: str = "top1"
    most: int | None = None

    def __post_init__(self) -> None:
        if self.protocol not in STRATEGIES:
            raise suggest("protocol", self.protocol, STRATEGIES)

    @property
    def name(self) -> str:
        """What the curves are called."""
        return self.label or self.training.defense

    @property
    def slot(self) -> str:
        """What the run's folder is called, but for the hash of what exactly was run; safe in a path."""
        parts = [self.training.dataset, self.protocol, self.training.defense]
        parts += [self.training.folder.replace("/", "-")] if self.training.folder else []
        parts += [] if self.criterion == "top1" else [self.criterion]
        return "-".join([*parts, *([self.part] if self.part else [])])

    def spec(self, samples: int | None) -> SweepSpec:
        """The sweep as the runner takes it.

        Args:
            samples: How many samples, from the first; None: all.
        """
        return SweepSpec(
            defenses=(self.training.defense,),
            attacks=self.attacks,
            dataset=self.training.dataset,
            eps_grid=self.eps_grid,
            samples=samples,
            sweep=STRATEGIES[self.protocol],
            criterion=self.criterion,
        )


def _typed(option: str, value: int | float) -> str:
    """An option's value as a user types it; ε as a fraction where that is what it is, bit for bit."""
    return natural_unit([float(value)]).format(float(value)) if option == "epsilon" else f"{value:g}"
