"""The form of a gazetteer in an event: its tables as columns and rows of cells, since one event holds it all.

An absent cell is an empty string, which no value can be. Column names once a table, not once a row, halve the size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from events.places.facts import Alias, Division, Earlier, Facts, Parent, Row, Succession, Unit

_TABLES = (Division.table, Unit.table, Parent.table, Alias.table, Succession.table, Earlier.table)


def pack(facts: Facts) -> dict[str, Any]:
    """Return facts as JSON types; unknown attributes of a later version become columns of their own."""
    head = facts.model_dump(mode="json", exclude_none=True, exclude=set(_TABLES))
    return {**head, **{table: _packed(getattr(facts, table)) for table in _TABLES}}


def unpack(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of Facts; what has not the form of a table is left as it is, for Facts to refuse."""
    return {key: _unpacked(value) if key in _TABLES else value for key, value in content.items()}


def _packed(rows: Iterable[Row]) -> dict[str, Any]:
    dumped = [row.model_dump(mode="json", exclude_none=True) | {"sources": " ".join(row.sources)} for row in rows]
    columns = sorted({column for cells in dumped for column in cells})
    return {"columns": columns, "rows": [[cells.get(column, "") for column in columns] for cells in dumped]}


def _unpacked(table: Any) -> Any:
    match table:
        case {"columns": list(columns), "rows": list(rows)} if all(
            isinstance(row, list) and len(row) == len(columns) for row in rows
        ):
            return [{column: cell for column, cell in zip(columns, row, strict=True) if cell != ""} for row in rows]
        case _:
            return table
