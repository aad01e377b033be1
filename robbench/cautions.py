"""What keeps the numbers of a run from being what they seem, in sentences."""

from collections.abc import Iterable

from robbench.analysis.unguided import unguided_notes
from robbench.defenses.loading import LoadedDefense
from robbench.preparation import PreparedRun


def cautions(prepared: PreparedRun) -> list[str]:
    """All that is known of it before the run starts."""
    defenses = prepared.workplace.defenses.values()
    return [
        *_rounding_notes(prepared),
        *_lucky_draw_notes(defenses),
        *mixing_notes(defenses),
        *unguided_notes((job.defense, job.attack.label) for job in prepared.unguided),
    ]


def is_in_bfloat16(prepared: PreparedRun) -> bool:
    """Whether any of its attack steps are taken in bfloat16."""
    return any(job.precision == "bfloat16" for job in prepared.plan.jobs)


def _rounding_notes(prepared: PreparedRun) -> list[str]:
    if not (prepared.only_float32 and is_in_bfloat16(prepared)):
        return []
    return [
        f"In bfloat16, as asked, the gradients of {', '.join(prepared.only_float32)} are not what they are "
        "in float32: to survive them may be no robustness."
    ]


def _lucky_draw_notes(defenses: Iterable[LoadedDefense]) -> list[str]:
    return [
        f"{defense.name} is randomized, and with --draws 1 a single forward pass decides: any lucky draw of "
        "an attack counts, and its gradients are as noisy as the defense."
        for defense in defenses
        if defense.draws == 1
    ]


def mixing_notes(defenses: Iterable[LoadedDefense]) -> list[str]:
    """Where a defense does not classify every image by itself."""
    return [
        f"{defense.name}: an image's logits depend on the others of its batch, and so these numbers on "
        "--batch-size. robbench check says what to do."
        for defense in defenses
        if defense.mixes_batch
    ]
