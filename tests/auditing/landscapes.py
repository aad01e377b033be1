"""Made-up defenses whose surface near the images is drawn to order, and audits of them in memory.

Images are 4 × 4: fifteen equal pixels that say the class (dark: 0, bright: 1), and one that is ignored, so
that no two images are equal. Farther from the images every surface is honest: the mean brightness decides.
"""

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor, nn

from robbench.auditing import PreparedAudit
from robbench.auditing.evidence import gather_evidence
from robbench.auditing.preparing import prepare_audit
from robbench.auditing.probing import probe
from robbench.auditing.running import examine
from robbench.auditing.summary import Findings
from robbench.datasets.custom import custom_info, from_arrays
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense, state_hash
from robbench.executors import MemorySink, SilentObserver, run_locally
from robbench.executors.local import Workplace
from robbench.running import cell_outcomes
from robbench.spec import SweepSpec

PIXELS = 15
DARK, BRIGHT = 0.25, 0.75
RADIUS = 0.1
"""The ε of the audits here."""
Surface = Callable[[Tensor], Tensor]
"""From the moves of the fifteen pixels towards the other class, (n, 15), to the own class's margin, (n,)."""


class Landscape(nn.Module):
    """Two classes by mean brightness, with a surface of its own around the images.

    Args:
        surface: The margin within ``reach`` of an image.
        reach: How far from it, in any pixel.
    """

    def __init__(self, surface: Surface, reach: float = 0.12) -> None:
        super().__init__()
        self.surface, self.reach = surface, reach

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.flatten(1)[:, :PIXELS]
        mean = pixels.mean(1)
        side = torch.where(mean > 0.5, 1.0, -1.0)
        base = torch.where(mean > 0.5, BRIGHT, DARK).unsqueeze(1)
        moves = -(pixels - base) * side.unsqueeze(1)
        near = moves.detach().abs().amax(1) <= self.reach
        margin = torch.where(near, self.surface(moves), 20 * (mean - 0.5).abs())
        return torch.stack([-margin * side / 2, margin * side / 2], dim=1)


def honest(moves: Tensor) -> Tensor:
    """What the mean brightness says."""
    return 20 * (0.25 - moves.mean(1))


def inwards(moves: Tensor) -> Tensor:
    """A decoy: the margin is least at the image itself, so that gradients lead back to it."""
    return 1 + 5 * moves.abs().mean(1)


def samples(count: int = 64) -> tuple[Tensor, Tensor]:
    """Images and labels, both classes in turn."""
    labels = torch.arange(count) % 2
    images = torch.where(labels == 1, BRIGHT, DARK).view(-1, 1, 1, 1).repeat(1, 1, 4, 4)
    images[:, 0, 3, 3] = torch.arange(count) / count
    return images, labels


def prepared_audit(
    defense: Defense, sources: dict[str, nn.Module] | None = None, grid: str = str(RADIUS)
) -> PreparedAudit:
    """The audit of a made-up defense on made-up images, ready to start."""
    images, labels = samples()
    dataset = from_arrays(images, labels)
    defenses = {"made-up": defense, **{name: Defense(model) for name, model in (sources or {}).items()}}
    loaded = {
        name: LoadedDefense(name, name, made, state_hash(made), None, "made up")
        for name, made in defenses.items()
    }
    workplace = Workplace(dataset, loaded, torch.device("cpu"), 64)
    spec = SweepSpec(("made-up",), ("pgd40",), dataset="custom", eps_grid=grid)
    return prepare_audit("made-up", spec, custom_info(dataset), workplace)


def findings_of(prepared: PreparedAudit) -> Findings:
    """What the checks find, without a file."""
    outcomes = outcomes_of(prepared)
    return examine(gather_evidence(prepared, outcomes, probe(prepared.subject, prepared.sweep.workplace)))


def outcomes_of(prepared: PreparedAudit) -> dict[str, pd.DataFrame]:
    """The rows of an audit's runs."""
    outcomes = {}
    for name, run in prepared.runs.items():
        sink = MemorySink()
        run_locally(run.plan, run.workplace, sink, SilentObserver())
        outcomes[name] = cell_outcomes(run.plan, sink).to_pandas()
    return outcomes
