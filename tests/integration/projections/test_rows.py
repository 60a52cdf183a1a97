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
        select name, amount, :partition from unnest($1::text[], $2::int[]) as t (name, amount)
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
            await writings.write(connection, 7, first)
            await writings.write(connection, 8, second)

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


async def test_a_writing_without_a_query_is_a_fault_of_the_program(
    postgres: PostgresServer, empty_database: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    try:
        page = Page()
        page.add("read", ("a",))
        with pytest.raises(KeyError, match="read"):
            await Writings(QUERIES).write(connection, 0, page)
    finally:
        await connection.close()
