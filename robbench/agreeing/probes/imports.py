"""Which modules robbench imports when it is imported itself, read from its source."""

import ast
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def eager_imports(names: set[str]) -> set[str]:
    """Those of some top-level modules that any module of robbench imports outside a function.

    Args:
        names: Top-level modules, such as ``foolbox``.
    """
    found: set[str] = set()
    for path in _PACKAGE.rglob("*.py"):
        found |= _imported(ast.parse(path.read_text(encoding="utf-8")).body)
    return found & names


def _imported(statements: list[ast.stmt]) -> set[str]:
    """The top-level modules that statements import, those inside ``if`` and ``try`` included."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            found.add(statement.module.partition(".")[0])
        elif isinstance(statement, ast.If | ast.Try | ast.With | ast.ClassDef):
            found |= _imported(statement.body)
    return found
