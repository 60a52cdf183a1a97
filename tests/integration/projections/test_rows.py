"""A page's rows in a real database: upserted, deleted and copied, each writing in one statement."""

from __future__ import annotations

import asyncpg
import pytest

from projections.projection import Page
from projections.rows import Copy, Writings, read_lines, sum_lines
from services.local.postgres import PostgresServer

QUERIES = {
    "write_thing": """
        insert into thing (name, amount, partition)
        select name, amount, partition from unnest($1::text[], $2::int[], :partition) as t (name, amount, partition)
        on conflict (name) do update set amount = excluded.amount
    """,
    "write_gone": "delete from thing where name = any ($1::text[])",
    "read": "not a writing",
}
DEFINITION = "create table thing (name text primary key, amount int, partition int); create table line (n int, t text)"


async def test_rows_are_upserted_deleted_and_copied(postgres: PostgresServer, empty_database: str) -> None:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    try:
        await connection.execute(DEFINITION)
        writings = Writings(QUERIES, copied={"line": Copy("line", ("n", "t"))})
        first, second = Page(), Page()
        first.add("thing", ("a", 1))
        first.add("thing", ("b", 2))
        first.add("line", (1, "one"))
        second.add("gone", ("b",))
        second.add("thing", ("a", 3))
        second.add("line", (2, "two"))
        second.rows["line of nobody"] = []
        async with connection.transaction():
            await writings.write(connection, {7: first})
            await writings.write(connection, {8: second})

        assert [tuple(row) for row in await connection.fetch("select * from thing")] == [("a", 3, 7)]
        async with connection.transaction():
            lines = [
                line
                async for line in read_lines(
                    connection, ["select name from thing", "select n || ' ' || t from line order by n desc"]
                )
            ]
        assert lines == ["a", "2 two", "1 one"]
        summed = bytearray()
        queries = [
            "select jsonb_build_array(name, E'a \"b\" \\\\ \n \x01, \x02 é')::text from thing",
            "select to_json(t)::text from line order by n desc",
        ]
        async with connection.transaction():
            lines = [line async for line in read_lines(connection, queries)]
            assert await sum_lines(connection, queries, summed.extend) == 3
        assert summed.decode() == "".join(f"{line}\n" for line in lines)
    finally:
        await connection.close()


async def test_pages_of_several_partitions_are_written_at_once_in_the_order_of_the_queries_each_row_under_its_own(
    postgres: PostgresServer, empty_database: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    try:
        await connection.execute(DEFINITION)
        said: list[str] = []
        connection.add_query_logger(lambda query: said.append(query.query))
        pages = {number: Page() for number in (4, 5, 6, 7)}
        pages[4].add("thing", ("a", 1))
        pages[4].add("gone", ("none",))
        pages[5].add("thing", ("b", 2))
        pages[5].add("thing", ("c", 3))
        pages[6].add("gone", ("f",))
        pages[7].add("gone", ("e",))  # first here, and yet behind the rows that it takes away
        pages[7].add("thing", ("e", 5))
        await Writings(QUERIES).write(connection, pages)

        rows = await connection.fetch("select * from thing order by name")
        ours = [query.split()[0] for query in said if "into thing" in query or "from thing" in query]
        assert [what for what in ours if what != "select"] == ["insert", "delete"]
        assert [tuple(row) for row in rows] == [("a", 1, 4), ("b", 2, 5), ("c", 3, 5)]
    finally:
        await connection.close()


async def test_a_writing_without_a_query_is_a_fault_of_the_program(
    postgres: PostgresServer, empty_database: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    try:
        page = Page()
        page.add("read", ("a",))
        with pytest.raises(KeyError, match="read"):
            await Writings(QUERIES).write(connection, {0: page})
    finally:
        await connection.close()
