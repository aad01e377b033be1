"""A factory in a file: imports the one file that was named."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from robbench.defenses.formats.contract import Made, ModelFormat, Wanted, split_factory_name
from robbench.defenses.formats.factories import call_factory, find_factory, title_of
from robbench.defenses.formats.neighbours import importable_neighbours
from robbench.defenses.formats.registration import register_format
from robbench.defenses.formats.robustbench_copy import copy_hint
from robbench.defenses.formats.source_text import text_with_neighbours
from robbench.errors import UserError


@register_format("python-file")
class PythonFile(ModelFormat):
    """A function in a Python file of yours that builds the defense."""

    form = "path/to/file.py:factory"
    suffixes = (".py",)

    def load(self, name: str, wanted: Wanted) -> Made:
        place, colon, factory = split_factory_name(name)
        if not (colon and factory):
            raise UserError(
                f"{name!r} names a file, but no factory in it.",
                f"Write {name.rstrip(':')}:build, if it is `def build()`.",
            )
        path = Path(place)
        if not path.is_file():
            raise UserError(
                f"There is no file {path}.",
                f"The path is taken from the current directory. `robbench new-defense {path}` writes one.",
            )
        try:
            source = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise UserError(f"The file {path} cannot be read: {error}.") from error
        file = path.resolve()
        with importable_neighbours(file.parent) as places:
            build = find_factory(_import_file(path), factory, str(path))
            defense = call_factory(build, name, wanted)
        title = title_of(f"{path.stem}.{factory}")
        return Made(defense, title, text_with_neighbours(file, source, places))


def _import_file(path: Path) -> ModuleType:
    module_name = f"robbench_user_{re.sub(r'[^0-9A-Za-z_]', '_', str(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs: dataclasses and pickling look their module up there.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise UserError(
            f"{path} fails when it is imported: {type(error).__name__}: {error}",
            copy_hint(error) or f"`python {path}` shows where.",
        ) from error
    return module
