"""A defense that raises while it is attacked: its author's to mend, told in one message with the place."""

import inspect
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

import robbench
from robbench.classifier import CountedModel
from robbench.devices import is_out_of_memory
from robbench.errors import UserError
from robbench.sweep.plan import Job

_OURS = tuple(str(Path(package.__file__ or "").parent) for package in (robbench, torch))
_STANDARD = (sysconfig.get_path("stdlib"),)
_INSTALLED = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
_HINT = (
    "Let it work on any batch of images in [0, 1], with and without gradients; once it is mended, the same "
    "command measures it from the start."
)


@contextmanager
def blamed_on_the_defense(job: Job) -> Iterator[None]:
    """Turn what somebody's code raises in a model's forward pass into a message for its author.

    What robbench's own defenses raise is a fault of robbench and keeps its traceback, and so does a memory
    that is too small.

    Args:
        job: What is being computed.

    Raises:
        UserError: A forward pass raised, in code that is neither robbench's nor torch's.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        place = _place_in_defense(error)
        if place is None or (isinstance(error, RuntimeError) and is_out_of_memory(error)):
            raise
        raise UserError(
            f"The defense {job.defense} raised {type(error).__name__} under {job.attack.label}, at {place}: "
            f"{error}",
            _HINT,
        ) from error


def _place_in_defense(error: Exception) -> str | None:
    """Where a defense raised, as deep in its author's code as can be told; None: it did not."""
    code = inspect.unwrap(CountedModel.forward).__code__
    frames = traceback.extract_tb(error.__traceback__)
    entries = [
        number
        for number, frame in enumerate(frames)
        if (frame.filename, frame.name) == (code.co_filename, code.co_name)
    ]
    inside = [frame for frame in frames[entries[-1] + 1 :] if _is_somebodys(frame)] if entries else []
    if not inside:
        return None
    written = [frame for frame in inside if not _lies_in(frame, _INSTALLED)]
    raised = (written or inside)[-1]
    return f"{raised.filename}:{raised.lineno}"


def _is_somebodys(frame: traceback.FrameSummary) -> bool:
    """Whether a line is neither robbench's nor torch's nor Python's own."""
    is_standard = _lies_in(frame, _STANDARD) and not _lies_in(frame, _INSTALLED)
    return not (_lies_in(frame, _OURS) or is_standard)


def _lies_in(frame: traceback.FrameSummary, folders: tuple[str, ...]) -> bool:
    return any(Path(frame.filename).is_relative_to(folder) for folder in folders)
