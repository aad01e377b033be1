"""The grammar of attack names: ``<algorithm><steps>[-<word>…][@<backend>][:key=value…]``."""

import re
from dataclasses import dataclass

from robbench.errors import UserError

BACKENDS = ("native", "pyautoattack", "torchattacks", "foolbox", "art")

_NAME = re.compile(
    r"(?P<algorithm>[a-z]+)(?P<steps>[0-9]{1,9})?(?P<words>(?:-[a-z]+)*)(?:@(?P<backend>[a-z]*))?(?P<options>(?::[^:]*)*)"
)
_AS_TYPED = "source"
"""The option whose value may name a file: it keeps its case, and may hold a colon, as ``mine.py:build``."""
_ALIASES = {"cwinf": ("pgd", ("cw",)), "bpda": ("pgd", ("bpda",))}
"""Names for PGD under a loss or a view: the algorithm they stand for, and the words they imply."""


@dataclass(frozen=True)
class AttackName:
    """An attack's name, taken apart but not yet looked up.

    Attributes:
        text: What the user typed; in lower case up to the options.
        algorithm: For example ``pgd``; ``cwinf`` and ``bpda`` are already replaced by it.
        steps: The step count, if given.
        words: What followed in hyphens, each a loss or a view.
        backend: What followed the ``@``, if anything.
        options: The ``key=value`` pairs, in the order given.
    """

    text: str
    algorithm: str
    steps: int | None = None
    words: tuple[str, ...] = ()
    backend: str | None = None
    options: tuple[tuple[str, str], ...] = ()


def parse_attack(text: str) -> AttackName:
    """Take one attack name apart.

    Raises:
        UserError: It does not follow the grammar.
    """
    typed = text.strip()
    head, colon, rest = typed.partition(":")
    written = head.lower() + colon + rest
    match = _NAME.fullmatch(written)
    if match is None:
        raise UserError(
            f"{text.strip()!r} is not an attack name.",
            "Write algorithm, steps, loss, @backend, :options; for example pgd100-cw@foolbox:restarts=5.",
        )
    words = tuple(word for word in match["words"].split("-") if word)
    algorithm, implied = _ALIASES.get(match["algorithm"], (match["algorithm"], ()))
    steps = int(match["steps"]) if match["steps"] else None
    if steps == 0:
        raise UserError(f"{text.strip()!r} asks for 0 steps.", "An attack takes at least one.")
    return AttackName(
        written,
        algorithm,
        steps,
        implied + words,
        _backend(match["backend"]),
        _options(written, match["options"]),
    )


def _backend(text: str | None) -> str | None:
    if text is None or text in BACKENDS:
        return text
    raise UserError(f"There is no backend called {text!r}.", f"The backends are {', '.join(BACKENDS)}.")


def _options(name: str, text: str) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str] = {}
    for part in text.split(":")[1:]:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        key = key.lower()
        if not equals and key and [*pairs][-1:] == [_AS_TYPED]:
            pairs[_AS_TYPED] += f":{part.strip()}"
            continue
        if not (key and equals and value):
            raise UserError(f"{part!r} in {name!r} is no option.", "Options are written :key=value.")
        if key in pairs:
            raise UserError(f"{name!r} gives the option {key!r} twice.")
        pairs[key] = value if key == _AS_TYPED else value.lower()
    return tuple(pairs.items())
