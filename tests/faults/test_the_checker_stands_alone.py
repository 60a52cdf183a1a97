"""The checker imports nothing of ours: a fault that it shared with what it judges would hide from it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

CHECKER = Path(__file__).parent / "checker"
THEIRS = {"asyncpg", "cryptography", "kafka"}


def imported(source: str) -> set[str]:
    """Every module that a file imports, at its top or anywhere in it; a relative one begins with a dot."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def is_allowed(module: str) -> bool:
    first = module.partition(".")[0]
    return first in sys.stdlib_module_names | THEIRS or f"{module}.".startswith("tests.faults.checker.")


def test_the_checker_imports_nothing_of_ours() -> None:
    files = sorted(CHECKER.rglob("*.py"))
    assert len(files) >= 8
    assert {
        file.name: bad for file in files if (bad := {m for m in imported(file.read_text()) if not is_allowed(m)})
    } == {}


def test_what_is_ours_would_be_seen() -> None:
    source = "import asyncpg\nfrom events.envelope import canonical\ndef f():\n    import tests.support.topics\n"
    assert {m for m in imported(source) if not is_allowed(m)} == {"events.envelope", "tests.support.topics"}
