"""File names made of what things are called."""

import hashlib
import re


def safe_file_name(text: str) -> str:
    """A name as part of a file name: odd characters become ``_``, and a hash keeps such names apart."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", text).strip("._")[:60]
    return safe if safe == text else f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:8]}".lstrip("-")


def file_stem(dataset: str, norm: str) -> str:
    """What the files of a dataset and a norm are called by; the norm is named where it is not linf."""
    name = safe_file_name(dataset)
    return name if norm == "linf" else f"{name}-{safe_file_name(norm)}"
