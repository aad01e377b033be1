"""A factory in an installed package."""

import importlib
from pathlib import Path
from types import ModuleType

from robbench.defenses.formats.contract import Made, ModelFormat, Wanted
from robbench.defenses.formats.factories import call_factory, find_factory, title_of
from robbench.defenses.formats.registration import IMPORT_PATH, register_format
from robbench.defenses.formats.robustbench_copy import copy_hint
from robbench.defenses.formats.source_text import text_of_module
from robbench.errors import UserError


@register_format(IMPORT_PATH)
class ImportPath(ModelFormat):
    """A function or class of an installed package that builds the defense."""

    form = "package.module:factory"

    def load(self, name: str, wanted: Wanted) -> Made:
        place, _, factory = name.partition(":")
        if not factory:
            raise UserError(f"{name!r} names a module, but no factory in it.", f"Write {place}:build.")
        module = _import(place, factory)
        build = find_factory(module, factory, place)
        defense = call_factory(build, name, wanted)
        return Made(defense, title_of(f"{place}.{factory}"), text_of_module(module))


def _import(place: str, factory: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except (Exception, SystemExit) as error:
        hint = copy_hint(error) or _hint(error, place, factory)
        raise UserError(f"{place} cannot be imported: {type(error).__name__}: {error}", hint) from error


def _hint(error: BaseException, place: str, factory: str) -> str:
    if not isinstance(error, ModuleNotFoundError) or error.name != place.partition(".")[0]:
        return f"`python -c 'import {place}'` shows where."
    if Path(f"{place}.py").is_file():
        return f"Did you mean {place}.py:{factory}?"
    return "Is its package installed where robbench is? A file is written path/to/file.py:factory."
