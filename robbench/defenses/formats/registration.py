"""The registry of model formats."""

import re

from robbench.defenses.formats.contract import ModelFormat, named_file
from robbench.registry import Registry

formats: Registry[type[ModelFormat]] = Registry("format", "robbench.defenses.formats")
register_format = formats.register

IMPORT_PATH = "import-path"
"""The format of every ``a.b:c`` that is no other's."""


def find_format(name: str) -> ModelFormat | None:
    """The format in which a defense's name is written; None for the name of a registered defense."""
    word, colon, _ = name.partition(":")
    suffix = named_file(name).suffix.lower()
    for _, model_format in formats.items():
        if (colon and word.lower() in model_format.prefixes) or suffix in model_format.suffixes:
            return model_format()
    return formats.get(IMPORT_PATH)() if re.fullmatch(r"[\w.]+:[\w.]*", name) else None
