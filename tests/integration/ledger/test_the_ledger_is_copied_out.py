"""All rows as PostgreSQL copies them out, against the same rows as they are read one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import services.ledger.copied
from events.vocabulary import wire_time
from services.ledger.copied import Copied, WireTimes, copy_out
from services.ledger.ledger import LedgerUnavailable, Recorded
from tests.support.ledgers import PostgresTrial, note


async def all_copied(dsn: str, to: int) -> list[Copied]:
    rows: list[Copied] = []

    def take(piece: Iterator[Copied]) -> None:
        rows.extend(piece)

    await copy_out(dsn, to, take)
    return rows


def as_copied(row: Recorded) -> tuple[object, ...]:
    repeated = str(row.event_id), row.type, row.home, str(row.command_id), row.command_mac.hex()
    time = wire_time(row.recorded_at).encode()
    return row.position, row.version, row.splice_version, time, row.stream, *repeated, row.body


async def test_what_is_copied_is_what_is_read(
    trial: PostgresTrial, app_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.ledger.copied, "POSITIONS", 7)
    for size in (0, 1, 300_000, 890_000):
        await trial.ledger.append(note(count=5, text="é" * (size // 2)))

    written = WireTimes()
    found = [
        (position, version, splice_version, written(at), stream, *repeated.split("\n"), body)
        for position, version, splice_version, at, stream, repeated, body in await all_copied(app_dsn, 18)
    ]
    expected: list[tuple[object, ...]] = []
    while missing := 18 - len(expected):
        expected += [as_copied(row) for row in await trial.ledger.read(len(expected), missing)]
    assert found == expected


async def test_a_row_without_a_value_that_somebody_took_away_is_copied_as_one_that_matches_nothing(
    trial: PostgresTrial, app_dsn: str
) -> None:
    await trial.ledger.append(note(count=2))
    for column in ("stream", "version", "home", "recorded_at", "body", "splice_version"):
        await trial.owner.execute(f"alter table ledger.event alter column {column} drop not null")
        await trial.owner.execute("set session_replication_role = replica")
        await trial.owner.execute(f"update ledger.event set {column} = null where position = 1")

    [(position, version, splice_version, _, stream, repeated, body), (second, *_)] = await all_copied(app_dsn, 2)
    assert (position, version, splice_version, stream, repeated, body, second) == (1, 0, 0, "", "", b"", 2)


async def test_a_database_that_is_away_is_said_so(app_dsn: str) -> None:
    with pytest.raises(LedgerUnavailable):
        await all_copied(app_dsn.replace("intabaza_app", "nobody"), 5)


async def test_a_fault_of_who_takes_rows_is_no_database_that_is_away(trial: PostgresTrial, app_dsn: str) -> None:
    await trial.ledger.append(note())

    def take(piece: Iterator[Copied]) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        await copy_out(app_dsn, 1, take)
