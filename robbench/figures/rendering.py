"""From a figure to a file: equal figures give equal bytes."""

from pathlib import Path

from matplotlib.figure import Figure

from robbench.errors import UserError
from robbench.figures.house_style import house_style
from robbench.files import atomic_writer

_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
FORMATS = tuple(_METADATA)
"""What a figure can be written as."""
_DOTS_PER_INCH = 200


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a format that is not written.

    Raises:
        UserError: It is not among :data:`FORMATS`, or none is given.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UserError(
            f"Figures are not written as {unknown[0]!r}." if unknown else "No format is given.",
            f"The formats are {', '.join(FORMATS)}.",
        )


def render(figure: Figure, path: Path, format: str) -> None:
    """Write a figure to a file, whole or not at all, without dates and random names.

    Args:
        figure: The figure.
        path: The file.
        format: One of :data:`FORMATS`.

    Raises:
        UserError: An unknown format, or the file cannot be written.
    """
    check_formats((format,))
    with house_style(), atomic_writer(path) as stream:
        figure.savefig(stream, format=format, dpi=_DOTS_PER_INCH, metadata=_METADATA[format])
