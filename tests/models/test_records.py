from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from robbench.models.records import read_record


@dataclass
class Part:
    share: float


@dataclass
class Whole:
    name: str
    counts: Mapping[str, int]
    anything: Mapping[str, Any]
    part: Part | None = None
    parts: tuple[Part, ...] = ()


GOOD = {"name": "a", "counts": {"b": 1}, "anything": {"c": None}}


def test_a_record_comes_back():
    part = read_record(Part, {"share": 1})
    whole = read_record(Whole, {**GOOD, "part": part, "parts": (part,)})
    assert whole == Whole("a", {"b": 1}, {"c": None}, Part(1), (Part(1),))
    assert read_record(Whole, {**GOOD, "part": None}) == Whole("a", {"b": 1}, {"c": None})


@pytest.mark.parametrize(
    "values",
    [{"name": None}, {"counts": 3}, {"counts": {"b": "1"}}, {"counts": {1: 1}}, {"anything": []},
     {"part": {"share": 1}}, {"part": 0}, {"parts": (3,)}, {"parts": [Part(1.0)]}, {"surplus": 1}],
    ids=repr,
)  # fmt: skip
def test_a_value_of_another_type_is_named(values):
    with pytest.raises(TypeError, match=next(iter(values))):
        read_record(Whole, {**GOOD, **values})


@pytest.mark.parametrize("values", [{}, [], "share", 3, None, {"share": "1"}], ids=repr)
def test_what_is_no_record(values):
    with pytest.raises(TypeError):
        read_record(Part, values)
