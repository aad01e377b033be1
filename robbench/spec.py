"""What a user asks of a sweep: names, a grid and a seed, from the command line or a TOML file."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Real
from pathlib import Path
from typing import Any

import tomli_w

from robbench.epsilon import check_image_radii, check_pixel_radii, parse_grid, tidy_grid
from robbench.errors import UserError
from robbench.registry import suggest

CANONICAL = "canonical"
"""The grid of a bare ``--eps-grid``: the dataset's own."""
DRAWS = 10
"""Forward passes of a randomized defense that are averaged, unless the user says otherwise."""
MOST_DRAWS = 1000
LARGEST_SEED = 2**32 - 1
"""The largest that every generator takes, those of the attack libraries included."""


@dataclass(frozen=True)
class SweepSpec:
    """A sweep as asked for: all that settles the results, and nothing of where they are computed.

    Attributes:
        defenses: Registered names, or ``path/to/file.py:factory``.
        attacks: Attack names, see :mod:`robbench.attacks.names`.
        dataset: A registered name.
        eps_grid: Radii as written, ``canonical``, or empty for clean and the dataset's one standard ε.
        samples: How many samples of the test split, from its start; None: all.
        norm: ``linf`` or ``l2``.
        sweep: The strategy.
        criterion: ``top1`` or ``top5``.
        precision: The arithmetic of attack steps, ``float32`` or ``bfloat16``; ``auto``: bfloat16 where the
            device is made for it and no defense loses its gradient in it. Success is judged in float32 in
            any case.
        seed: Seeds every random number of the attacks.
        draws: Forward passes of which the mean is attacked and judged, of a randomized defense (EOT: Athalye
            et al. 2018, arXiv:1802.00420); others are asked once.
    """

    defenses: tuple[str, ...]
    attacks: tuple[str, ...]
    dataset: str = "digits"
    eps_grid: str = ""
    samples: int | None = None
    norm: str = "linf"
    sweep: str = "auto"
    criterion: str = "top1"
    precision: str = "auto"
    seed: int = 0
    draws: int = DRAWS

    def __post_init__(self) -> None:
        if not self.defenses:
            raise UserError(
                "No defense is given.", "Such as --defense nsq; `robbench list defenses` shows all."
            )
        if not self.attacks:
            raise UserError(
                "No attack is given.", "Such as --attacks pgd100; `robbench list attacks` shows all."
            )
        check_seed(self.seed)
        if not 1 <= self.draws <= MOST_DRAWS:
            raise UserError(
                f"draws is a whole number from 1 to {MOST_DRAWS}, not {self.draws}.",
                "It says how many forward passes of a randomized defense are averaged.",
            )

    def epsilons(self, canonical: tuple[float, ...], standard: float) -> tuple[float, ...]:
        """The grid that is swept, ascending from 0.

        Args:
            canonical: The dataset's own grid.
            standard: The dataset's one standard ε.

        Raises:
            UserError: The grid as written is none, or beyond what images can be apart; or no grid is given
                and the norm is not linf, or the dataset has no radii of its own.
        """
        if self.eps_grid and self.eps_grid != CANONICAL:
            grid = tidy_grid(parse_grid(self.eps_grid))
            check = check_pixel_radii if self.norm == "linf" else check_image_radii
            check(grid)
            return grid
        if not canonical:
            raise UserError(
                "Your own data have no standard radii.", 'Give some: eps_grid="0:0.3:13" or [0, 0.1].'
            )
        if self.norm != "linf":
            raise UserError(
                f"The dataset's own radii are for linf, and the norm asked for is {self.norm}.",
                "Give the radii: --eps-grid 0,0.5,1.",
            )
        return tidy_grid(canonical if self.eps_grid else (standard,))

    def to_toml(self) -> str:
        """The specification as a TOML document that :func:`read_spec` reads back."""
        values = asdict(self)
        return tomli_w.dumps({key: value for key, value in values.items() if value is not None})


def check_seed(seed: int) -> int:
    """The seed, if every random generator takes it.

    Raises:
        UserError: It is negative, or above :data:`LARGEST_SEED`.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"A seed is a whole number from 0 to {LARGEST_SEED}, not {seed}.")
    return seed


def split_names(values: tuple[str, ...]) -> tuple[str, ...]:
    """Names from an option that takes commas and repeats, in order, each once."""
    names = [name.strip() for value in values for name in value.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def grid_text(points: Sequence[int | float | str]) -> str:
    """Radii as they are written: numbers as they are, to the last bit, and fractions as text."""
    return ",".join(point if isinstance(point, str) else repr(float(point)) for point in points)


def is_radius(value: object) -> bool:
    """Whether a value may stand in a list of radii; ``true``, which Python counts as 1, may not."""
    return isinstance(value, str | Real) and not isinstance(value, bool)


def read_spec(path: Path, overrides: Mapping[str, Any]) -> SweepSpec:
    """Read a specification from a TOML file.

    Args:
        path: The file; its keys are the fields of :class:`SweepSpec`.
        overrides: Values that win over the file's.

    Raises:
        UserError: The file is missing or no TOML; an unknown key; a value of the wrong type.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(
            f"The configuration {path} cannot be read: {error.strerror}.",
            "Check its path and its permissions.",
        ) from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise UserError(
            f"{path} is not TOML: {error}.",
            'It is UTF-8 text, with lines such as defenses = ["natural", "nsq"]',
        ) from None
    values = {key: _read_value(path, key, value) for key, value in document.items()}
    return make_spec({**values, **overrides})


def make_spec(values: Mapping[str, Any]) -> SweepSpec:
    """A specification from the values given; the others keep their defaults."""
    empty = {"defenses": (), "attacks": ()}
    return SweepSpec(**{**empty, **values})


_TYPES: dict[str, type] = {"samples": int, "seed": int, "draws": int}


def _read_value(path: Path, key: str, value: Any) -> Any:
    known = [field.name for field in fields(SweepSpec)]
    if key not in known:
        raise suggest(f"setting in {path.name}", key, known)
    if key in ("defenses", "attacks"):
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return split_names(tuple(names))
        raise UserError(
            f"{key} in {path} should be a list of names, not {value!r}.", f'{key} = ["one", "two"]'
        )
    if key == "eps_grid":
        return _read_grid(path, value)
    expected = _TYPES.get(key, str)
    if not isinstance(value, expected) or isinstance(value, bool):
        kind = "a whole number" if expected is int else "text in quotes"
        raise UserError(f"{key} in {path} should be {kind}, not {value!r}.")
    return value


def _read_grid(path: Path, value: Any) -> str:
    """A grid may be text, a list of numbers and fractions, or ``true`` for the canonical one."""
    if value is True:
        return CANONICAL
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(map(is_radius, value)):
        return grid_text(value)
    raise UserError(
        f"eps_grid in {path} should be text or a list of radii, not {value!r}.",
        'eps_grid = "0:8/255:9" or [0, 0.1]',
    )
