"""SQL kept in `.sql` files beside the Python that runs it, each query with a name and a line of why."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: ([a-z_]+)$")


def named_queries(package: str, file: str) -> dict[str, str]:
    """Read the queries of one `.sql` file in a package: `-- name: read_stream`, lines of why, the query.

    Raises ValueError on text before the first name, on a name used twice and on a query without a line of why.
    """
    queries: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in files(package).joinpath(file).read_text("utf-8").splitlines():
        named = _NAME.match(line)
        if named:
            if named[1] in queries:
                raise ValueError(f"{file} has two queries named {named[1]}: rename one")
            lines = queries[named[1]] = []
        elif lines is not None:
            lines.append(line)
        elif line.strip():
            raise ValueError(f"{file} begins with text that has no name: put `-- name: …` above it")
    for name, text in queries.items():
        if not text or not text[0].startswith("-- "):
            raise ValueError(f"{name} in {file} does not say why: put a comment under its name")
    return {name: "\n".join(text).strip() for name, text in queries.items()}
