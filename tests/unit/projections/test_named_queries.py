"""Queries in `.sql` files: found by name, each with a line of why."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections import sql
from projections.sql import named_queries


def test_the_ledgers_queries_are_found_by_name() -> None:
    queries = named_queries("services.ledger", "postgres.sql")
    assert {"append", "ask", "read", "read_stream", "head", "placed"} <= queries.keys()
    assert queries["head"].splitlines()[1].startswith("select position, recorded_at")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-- name: a\nselect 1", "does not say why"),
        ("-- name: a\n", "does not say why"),
        ("select 1", "no name"),
        ("-- name: a\n-- because\nselect 1\n-- name: a\n-- because\nselect 2", "two queries named a"),
    ],
)
def test_a_careless_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str) -> None:
    (tmp_path / "careless.sql").write_text(text)
    monkeypatch.setattr(sql, "files", lambda package: tmp_path)

    with pytest.raises(ValueError, match=sentence):
        named_queries("anywhere", "careless.sql")
