"""Asks the defenses of a run, before it starts, whether they can be attacked as it is planned."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from robbench.attacks import IterativeAttack
from robbench.classifier import seeded
from robbench.datasets import Dataset, Samples
from robbench.defenses.check import (
    check_defense,
    check_differentiable,
    check_input_kept,
    check_rounded_answers,
    mixes_batch,
    predicts_alike,
)
from robbench.defenses.expectation import in_expectation
from robbench.defenses.loaded import LoadedDefense
from robbench.errors import UserError
from robbench.executors.defense_errors import blamed_on_the_defense
from robbench.executors.local import Workplace, target_of
from robbench.spec import SweepSpec
from robbench.sweep.gradients import Gradients
from robbench.sweep.judge import mislabels
from robbench.sweep.plan import Job, Plan
from robbench.sweep.rounding import is_fit_for_bfloat16
from robbench.threat import Ball
from robbench.torch_state import plain_torch

CHECKED_SAMPLES = 8
"""Samples that every defense must classify before the sweep starts."""
COMPARED_SAMPLES = 32
"""Samples whose gradients in bfloat16 and in float32 are compared."""


@plain_torch()
def check_defenses(
    loaded: Mapping[str, LoadedDefense], dataset: Dataset, device: torch.device, spec: SweepSpec
) -> dict[str, LoadedDefense]:
    """Let every defense classify a few samples, under every view.

    Args:
        loaded: The defenses by name.
        dataset: Where the samples are.
        device: Where.
        spec: How many draws of a randomized defense are averaged, and the seed.

    Returns:
        The defenses, each with the number of its logits; those that are randomized averaged.

    Raises:
        UserError: A defense fails, answers with something that is no finite row of logits per image, or
            writes into the images.
    """
    few, ready = few_samples(dataset), dict[str, LoadedDefense]()
    for name, defense in loaded.items():
        logits = check_defense(defense, few, dataset.classes, device)
        check_input_kept(defense, few, device)
        _check_numbering(defense, logits, dataset)
        steady = in_expectation(defense, few.images, device, spec.draws, spec.seed)
        mixes = steady.draws is None and mixes_batch(defense, few.images, device)
        ready[name] = replace(steady, mixes_batch=mixes, logits=logits)
    return ready


def _check_numbering(defense: LoadedDefense, logits: int, dataset: Dataset) -> None:
    """Refuse to number some class folders by their order for a model that knows more classes."""
    folders = dataset.numbered_folders
    if folders and logits > len(folders):
        raise UserError(
            f"The defense {defense.name} tells {logits} classes apart, and the images lie in {len(folders)} "
            f"folders ({', '.join(folders[:3])}, …) that only their order numbers: from 0, whatever the "
            "model's numbers for them are.",
            "Name each folder by the number of its class in the model.",
        )


def few_samples(dataset: Dataset, count: int = CHECKED_SAMPLES) -> Samples:
    """The first samples; by default enough to see whether a defense works at all."""
    return dataset.samples(torch.arange(min(count, len(dataset))))


def check_gradients(plan: Plan, workplace: Workplace) -> tuple[Job, ...]:
    """Ask every defense for the gradients that the attacks will ask it for; the jobs that find none."""
    samples = few_samples(workplace.dataset)
    few = samples.images
    jobs = [job for job in plan.jobs if job.attack.attack.uses_gradient]
    rounded = _in_bfloat16(plan)
    guides: dict[tuple[str, str], bool] = {}
    for among, precision in ((jobs, "float32"), (rounded, "bfloat16")):
        for name, view in sorted(set(map(_guide, among))):
            loaded = workplace.defenses[name]
            # One image is cheap and mostly enough; where it has no gradient, others may have one.
            guides[name, view] = any(
                check_differentiable(loaded, view, images, workplace.device, precision)
                for images in (few[:1], few)
            )
    for name in sorted({job.defense for job in rounded}):
        check_rounded_answers(workplace.defenses[name], few, workplace.device)
    # Where logits have a gradient, the loss need not: cross-entropy behind a saturated softmax has none.
    alike = {_climb(job): job for job in jobs if guides[_guide(job)]}
    guided = {climb for climb, job in alike.items() if not _starts_flat(job, workplace, samples)}
    return tuple(job for job in jobs if _climb(job) not in guided)


def _climb(job: Job) -> tuple[str, ...]:
    """What a job ascends and by which algorithm, whatever its options."""
    attack = job.attack.attack
    return job.defense, *_guide(job), attack.algorithm, attack.backend, job.attack.loss


def _starts_flat(job: Job, workplace: Workplace, samples: Samples) -> bool:
    """Whether a native attack's loss has no gradient at any of its starts that is not adversarial already."""
    attack = job.attack.attack
    if not isinstance(attack, IterativeAttack):
        return False
    device = workplace.device
    images, labels = samples.images.to(device), samples.labels.to(device)
    radius = torch.full(labels.shape, max(job.terms.epsilons), device=device)
    with target_of(job, workplace) as target, seeded(job.terms.seed, device), blamed_on_the_defense(job):
        ball = Ball(images, radius, target.norm)
        start = attack.start(ball, torch.arange(len(labels), device=device))
        logits, gradient = Gradients(attack, target, job.precision).at(start, labels)
    unbroken = ~mislabels(logits, labels, job.terms.criterion)
    return bool(unbroken.any()) and not gradient[unbroken].any()


def names_without_bfloat16(plan: Plan, workplace: Workplace) -> tuple[str, ...]:
    """The defenses that fail in bfloat16 or lose their gradient, of those that are to be attacked in it."""
    asked = {(job.defense, _guide(job), job.attack.loss): job for job in _in_bfloat16(plan)}
    if not asked:
        return ()
    samples = few_samples(workplace.dataset, COMPARED_SAMPLES)
    unfit = [job.defense for job in asked.values() if not _is_fit(job, workplace, samples)]
    return tuple(dict.fromkeys(unfit))


def _is_fit(job: Job, workplace: Workplace, samples: Samples) -> bool:
    """Whether a job that is to take its steps in bfloat16 should."""
    attack = job.attack.attack
    with target_of(job, workplace) as target, seeded(job.terms.seed, workplace.device):
        return isinstance(attack, IterativeAttack) and is_fit_for_bfloat16(attack, target, samples)


def _in_bfloat16(plan: Plan) -> list[Job]:
    """The jobs that take their steps in bfloat16."""
    return [job for job in plan.jobs if job.precision == "bfloat16"]


def _guide(job: Job) -> tuple[str, str]:
    """The defense and the view that a job's attack differentiates."""
    return (job.attack.source, "exact") if job.attack.source else (job.defense, job.attack.view)


def check_predictions(plan: Plan, workplace: Workplace) -> None:
    """Refuse to follow the predictions of a view that a defense brings along, where they are not its own.

    Raises:
        UserError: An attack that leaves a sample once it sees it broken would see another model.
    """
    images = few_samples(workplace.dataset).images
    for job in plan.jobs:
        loaded, view = workplace.defenses[job.defense], job.attack.view
        if not job.attack.attack.follows_predictions or loaded.defense.forwards_exactly(view):
            continue
        if loaded.draws is not None:  # it does not even answer as itself
            continue
        if not predicts_alike(loaded, view, images, workplace.device):
            raise UserError(
                f"{job.attack.label} leaves a sample that it sees broken, and the view {view!r} that "
                f"{job.defense} brings along does not answer as the defense does.",
                "Use pgd, or have that view compute the exact answer and change the gradient alone.",
            )
