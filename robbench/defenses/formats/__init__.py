"""Model formats: the ways to name a model that robbench did not train, one file each."""

from robbench.defenses.formats.contract import Made, ModelFormat, Wanted
from robbench.defenses.formats.registration import find_format, formats, register_format

__all__ = ["Made", "ModelFormat", "Wanted", "find_format", "formats", "register_format"]
