"""Making every check of one defense."""

from dataclasses import dataclass
from pathlib import Path

import torch

from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import Check, checks_in_order
from robbench.classifier import frozen
from robbench.datasets import Samples, load_dataset
from robbench.defenses.loading import LoadedDefense, load_defense, views_of
from robbench.devices import choose_device
from robbench.errors import UserError
from robbench.torch_state import plain_torch

DEFAULT_SAMPLES = 200
"""Enough for an accuracy to within 7 points, few enough for seconds."""


@dataclass(frozen=True)
class CheckRequest:
    """Which defense is checked, on what.

    Attributes:
        defense: What the user typed.
        dataset: The registered dataset whose images it classifies.
        samples: How many of the test split, from the first; None: :data:`DEFAULT_SAMPLES` or all.
        data_dir: Where the datasets are; None: the usual places.
        models_dir: Where the models are; None: the usual places.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``…
    """

    defense: str
    dataset: str = "digits"
    samples: int | None = None
    data_dir: str | Path | None = None
    models_dir: str | Path | None = None
    device: str = "auto"

    @property
    def folders(self) -> tuple[Path | None, Path | None]:
        """The models' and the datasets', as paths."""
        models, data = self.models_dir, self.data_dir
        return None if models is None else Path(models), None if data is None else Path(data)


@dataclass(frozen=True)
class CheckReport:
    """What all checks of a defense found.

    Attributes:
        request: What was asked.
        title: What results will call the defense.
        views: The views it offers.
        findings: Check names to findings, in the order made.
    """

    request: CheckRequest
    title: str
    views: tuple[str, ...]
    findings: dict[str, Finding]

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        return [name for name, finding in self.findings.items() if finding.result == "failure"]


@plain_torch()
def check(request: CheckRequest) -> CheckReport:
    """Build a defense and make every check of it.

    Args:
        request: Which one, on what.

    Raises:
        UserError: There is no such defense, dataset or device, or the defense cannot even be built.
    """
    device = choose_device(request.device)
    models_dir, data_dir = request.folders
    info, dataset = load_dataset(request.dataset, data_dir, samples=request.samples)
    if request.samples is None:
        dataset = dataset.first(min(DEFAULT_SAMPLES, len(dataset)))

    def build() -> LoadedDefense:
        images = (info, dataset.classes, dataset.shape)
        return load_defense(request.defense, *images, models_dir, data_dir, device)

    loaded = build()
    views = views_of(loaded.defense).to(device)
    images, labels, ids = dataset.samples(torch.arange(len(dataset)))
    samples = Samples(images.to(device), labels.to(device), ids)
    with frozen(views):
        findings = examine(Subject(loaded, samples, dataset.classes, device, build))
    return CheckReport(request, loaded.title, loaded.defense.views, findings)


def examine(subject: Subject) -> dict[str, Finding]:
    """Make every check, in order; after an essential one that failed the others are skipped."""
    findings: dict[str, Finding] = {}
    blocked_by = ""
    for each in checks_in_order():
        if blocked_by:
            findings[each.name] = Finding("skipped", f"Makes sense only once {blocked_by!r} passes.")
            continue
        findings[each.name] = _examine_safely(each, subject)
        if each.essential and findings[each.name].result == "failure":
            blocked_by = each.name
    return findings


def _examine_safely(each: Check, subject: Subject) -> Finding:
    try:
        return each.examine(subject)
    except UserError as error:
        return Finding("failure", error.message, error.hint)
    # The defense is other people's code: whatever it raises is a finding.
    except Exception as error:
        return Finding(
            "failure",
            f"It raised {type(error).__name__}: {error}",
            "Let it work on any batch of images in [0, 1], with and without gradients.",
        )
