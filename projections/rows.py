"""How pages' rows reach Postgres: each writing in one statement, whatever the number of rows and of partitions.

A table keeps its SQL in a `.sql` file (projections/sql). The page's writing `unit` is the query `write_unit`: its `$1`,
`$2`, … are one array a column, to be unnested, and `:partition` is one more, each row's partition; it may insert,
upsert or delete. A key stands at most once in a writing of all pages, since one upsert cannot touch a row twice. What
is only ever appended, and much of it, is copied instead (`Copy`). Writings happen in the order in which their queries
stand in the file, and then what is copied, whatever a page was first written to: one that changes rows stands behind
the one that makes them.

    SQL = named_queries("projections.case_board", "table.sql")
    WRITINGS = Writings(SQL, copied={"entry": Copy("entry", ("case_id", "position", "body"))})

    await WRITINGS.write(connection, {partition: page})
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from projections.projection import Connection, Page

_PARAMETER = re.compile(r"\$([0-9]+)")
_PARTITION = ":partition"
_PREFIX = "write_"
PREFETCH = 1_000
"""Rows of a digest in one answer: asyncpg's 50 take two thirds longer."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A writing by COPY into a table of the search path; a row is its columns' values as asyncpg takes them.

    COPY is binary and casts nothing: uuid columns take UUIDs or text, json columns text, timestamptz only datetimes.
    """

    table: str
    columns: tuple[str, ...]


class Writings:
    """All ways in which a page's rows are written into one projection's tables."""

    def __init__(self, queries: Mapping[str, str], copied: Mapping[str, Copy] = MappingProxyType({})) -> None:
        written = ((name, sql) for name, sql in queries.items() if name.startswith(_PREFIX))
        self._queries = {name.removeprefix(_PREFIX): _numbered(sql) for name, sql in written}
        self._copied = dict(copied)
        self._order = tuple({**self._queries, **self._copied})

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        """Write every row of the pages, in the caller's transaction; KeyError where a writing has no query."""
        known = {name for page in pages.values() for name, rows in page.rows.items() if rows}
        if unknown := sorted(known.difference(self._order)):
            raise KeyError(", ".join(unknown))
        for name in self._order:
            if name in known:
                await self._write(connection, name, {one: page.rows.get(name, []) for one, page in pages.items()})

    async def _write(self, connection: Connection, name: str, of: Mapping[int, Sequence[tuple[Any, ...]]]) -> None:
        rows = [row for rows in of.values() for row in rows]
        if (copy := self._copied.get(name)) is not None:
            await connection.copy_records_to_table(copy.table, records=rows, columns=copy.columns)
            return
        sql, per_partition = self._queries[name]
        values: list[Sequence[Any]] = list(zip(*rows, strict=True))
        if per_partition:
            values.append([partition for partition, rows in of.items() for _ in rows])
        await connection.execute(sql, *values)


def _numbered(sql: str) -> tuple[str, bool]:
    """Give the partitions the number after the last column's; whether the query wants them."""
    last = max((int(number) for number in _PARAMETER.findall(sql)), default=0)
    return sql.replace(_PARTITION, f"${last + 1}::integer[]"), _PARTITION in sql


async def sum_lines(connection: Connection, queries: Iterable[str], take: Callable[[bytes], None]) -> int:
    """Hand over the lines of `read_lines` as bytes, each with a line's end, in pieces of any size; returns how many.

    They are copied, so that the server goes on while this side sums up. A line is the text of a JSON value: it holds no
    control characters, and nothing in it is quoted.
    """

    async def output(piece: bytes) -> None:
        take(piece)

    count = 0
    for query in queries:
        said = await connection.copy_from_query(query, output=output, format="csv", delimiter="\x02", quote="\x01")
        count += int(said.split()[1])
    return count


async def read_lines(connection: Connection, queries: Iterable[str]) -> AsyncIterator[str]:
    """Yield the first column of each query's rows as they come, for a digest; needs the caller's transaction."""
    for query in queries:
        async for record in connection.cursor(query, prefetch=PREFETCH):
            yield record[0]
