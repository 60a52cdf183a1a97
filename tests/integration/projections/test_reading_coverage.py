"""Coverage as it is read: unit by unit in order, by state and confidence, page by page, with its channels."""

from __future__ import annotations

from typing import Any

from projections.coverage import PROJECTION
from projections.coverage.table import SQL
from tests.integration.projections.standing import Stand, Standing
from tests.support.levels import Log


def asked(*after: Any, units: Any = None, states: Any = None, sure: Any = None, most: int = 50) -> tuple[Any, ...]:
    return (units, states, sure, *(after or (None,)), most)


async def listed(standing: Standing, **of: Any) -> list[str]:
    return [row["unit"] for row in await standing.ask("units", *asked(**of))]


def three_communes() -> Log:
    log = Log().rules().assigned("a", "calm").assigned("b", "silent").assigned("c", "half").assigned("d", "half")
    return log.days(5).checked_in("a").checked_in("c")


async def test_units_are_asked_by_state_and_confidence(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_communes())

    assert await listed(standing) == ["calm", "half", "silent"]
    assert await listed(standing, states=["lost"]) == ["silent"]
    assert await listed(standing, sure=["high", "blind"]) == ["calm", "silent"]
    assert await listed(standing, units=["half"]) == ["half"]
    [row] = await standing.ask("units", *asked(units=["half"]))
    assert (row["reporters"], row["silent"], row["last_sign"]) == (2, 1, "2026-05-25")
    assert [(one["unit"], one["state"]) for one in await standing.ask("channels", ["half", "silent"])] == [
        ("half", "watched"),
        ("silent", "lost"),
    ]


async def test_pages_follow_one_another(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_communes())

    pages = await standing.pages(lambda *after: asked(*after, most=2), "units", lambda row: (row["unit"],))
    assert [row["unit"] for row in pages] == ["calm", "half", "silent"]


async def test_what_is_loaded_goes_on_as_what_was_held(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_communes())
    loaded = await PROJECTION.table.load_partition(standing.connection, 0)

    assert loaded.keys() == {"home:kayanza"}
    assert await PROJECTION.table.dues(standing.connection, 0) == [("2026-05-28T22:00:00.000000Z", "home:kayanza")]
    assert await PROJECTION.table.dues(standing.connection, 1) == []
