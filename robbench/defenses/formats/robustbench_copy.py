"""The old copy of RobustBench that torchattacks installs, noticed where a defense fails because of it."""

import sys
import traceback
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

MODULE = "robustbench"
HINT = (
    f"The module {MODULE} that it imports is an old copy that torchattacks installs under that name. "
    "Install the real one after torchattacks: pip install --force-reinstall --no-deps robustbench."
)


def copy_hint(error: BaseException) -> str:
    """What to do about a failure that comes from torchattacks' copy; empty where another is the cause.

    The copy has the functions of its day, and imports modules that newer packages no longer bring. Where
    RobustBench is installed too, its files are taken to be those that are imported.

    Args:
        error: What the import of a defense, or its factory, raised.
    """
    copy = _copy()
    if copy is None:
        return ""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if str(getattr(error, "name", None)).partition(".")[0] == MODULE:
        # What the copy lacks is missed by whoever asks it for that.
        files.append(str(getattr(sys.modules.get(MODULE), "__file__", "")))
    return HINT if any(Path(file).is_relative_to(copy) for file in files) else ""


def _copy() -> Path | None:
    """Where the copy is; None where there is none, or the real one was installed as well."""
    try:
        found = distribution("torchattacks")
    except PackageNotFoundError:
        return None
    brought = any(path.parts[0] == MODULE for path in found.files or [])
    return Path(str(found.locate_file(MODULE))) if brought and not any(distributions(name=MODULE)) else None
