"""Files that robbench writes for a user to start from: the texts, and what puts them into place."""

from robbench.templates.writing import KINDS, write_defense

__all__ = ["KINDS", "write_defense"]
