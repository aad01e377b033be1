"""Records from the values of a file, which may hold anything."""

import reprlib
from collections.abc import Mapping
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def read_record(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """A record, if every value is of the type that its field is annotated with.

    Args:
        kind: A dataclass; its fields may be plain types, unions, and mappings and tuples of one type.
        values: By the names of its fields.

    Raises:
        TypeError: A field is missing, unknown or of another type.
    """
    for name, hint in get_type_hints(kind).items():
        if name in values and not _fits(values[name], hint):
            raise TypeError(f"{name} is {reprlib.repr(values[name])}")
    return kind(**values)


def _fits(value: Any, hint: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is UnionType:
        return any(_fits(value, part) for part in inside)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, inside[0]) and _fits(item, inside[1]) for key, item in value.items()
        )
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, inside[0]) for item in value)
    # JSON writes 1.0 as a whole number where another program has been at it.
    return isinstance(value, (int, float) if hint is float else hint)
