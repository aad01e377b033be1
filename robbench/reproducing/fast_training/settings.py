"""The settings in which trainings are compared: a dataset, an ε, the defenses and the attacks they meet."""

from dataclasses import dataclass

from robbench.analysis.protocols import STRONGER
from robbench.epsilon import natural_unit
from robbench.figures.titles import dataset_title
from robbench.reproducing.sweeps import PaperRun, Training

PGD, BPDA = "pgd20", "bpda20"
AUTOATTACK = "autoattack-bpda@torchattacks"
"""With BPDA where a defense has a layer to get around, plain AutoAttack where it has none."""
YARDSTICK = "pgd-at"
_SINGLE_STEP = ("fgsm-at", "fast-at", "n-fgsm", "fast-at-ga", "fast-bat")
SECOND_ORDER = frozenset({"fast-at-ga", "fast-bat"})
"""They differentiate a gradient, which passes do not count apart."""
_BUDGET = "epochs=15"
_ADVERSARIAL = (YARDSTICK, "pgd2-at", "free-at", *_SINGLE_STEP, "trades", "backward-smoothing")


@dataclass(frozen=True)
class Setting:
    """Models that can be compared, and how they are attacked.

    Attributes:
        dataset: A registered dataset.
        epsilon: The radius of the comparison, in pixel scale.
        eps_grid: The grid of the curves, which holds 0 and ``epsilon``.
        defenses: Registered defenses.
        seeds: Of the trainings; each defense is trained from every one.
        folder: Where the models lie that were trained for this comparison; empty: they are the ordinary ones.
        budget: What each of those trainings may spend.
        options: Of those trainings, where they differ from their papers'.
        most: How many images at most; None: the whole test split.
    """

    dataset: str
    epsilon: float
    eps_grid: str
    defenses: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    folder: str = ""
    budget: str = ""
    options: tuple[tuple[str, float], ...] = ()
    most: int | None = None

    @property
    def title(self) -> str:
        """The setting in words."""
        return setting_title(self.dataset, self.epsilon)

    @property
    def runs(self) -> tuple[PaperRun, ...]:
        """All runs."""
        return tuple(
            run for seed in self.seeds for defense in self.defenses for run in self.runs_of(defense, seed)
        )

    def runs_of(self, defense: str, seed: int) -> tuple[PaperRun, PaperRun]:
        """The curves of one model, and AutoAttack at the one ε: it costs thousands of passes a sample."""
        training = self._training(defense, seed)
        curves = PaperRun(
            training, STRONGER, (PGD, BPDA), part="fast", eps_grid=self.eps_grid, most=self.most
        )
        at_epsilon = f"0,{self.epsilon!r}"
        strongest = PaperRun(
            training, STRONGER, (AUTOATTACK,), part="autoattack", eps_grid=at_epsilon, most=self.most
        )
        return curves, strongest

    def _training(self, defense: str, seed: int) -> Training:
        """Seed 0 has the setting's folder, others lie where ``robbench train --seed 0,1,2`` puts them."""
        folders = [self.folder, f"seed-{seed}" if seed else ""]
        return Training(
            self.dataset,
            defense,
            self.options,
            seed=seed,
            folder="/".join(filter(None, folders)),
            budget=self.budget,
            watched=True,
        )


def setting_title(dataset: str, epsilon: float) -> str:
    """A dataset and an ε in words: ``CIFAR-10, ε = 8/255``."""
    radius = float(epsilon)
    return f"{dataset_title(dataset)}, ε = {natural_unit([radius]).format(radius)}"


DIGITS = Setting(
    "digits",
    0.3,
    "0:0.3:7",
    ("natural", *_ADVERSARIAL, "stability", "binarize", "sq", "nsq", "nsq-fgsm"),
    seeds=(0, 1, 2),
)
CIFAR10 = Setting(
    "cifar10",
    8 / 255,
    "0:8/255:9",
    ("natural", *_ADVERSARIAL, "nsq", "nsq-fgsm"),
    folder="one-budget",
    budget=_BUDGET,
    most=1000,
)
CIFAR10_LARGE = Setting(
    "cifar10",
    16 / 255,
    "0:16/255:9",
    (YARDSTICK, *_SINGLE_STEP),
    folder="one-budget-epsilon-16",
    budget=_BUDGET,
    options=(("epsilon", 16 / 255),),
    most=1000,
)
SETTINGS = (DIGITS, CIFAR10, CIFAR10_LARGE)
