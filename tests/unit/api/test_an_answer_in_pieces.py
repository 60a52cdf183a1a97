"""An answer that is read while it is sent is whole, or breaks the connection; no more than a page waits in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from services.api.connection import KEY
from services.api.reading import Pieces
from services.bulletins.history import PAGE, SQL, History, Row
from tests.support.ledgers import an_alert


class Transport:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


async def sent(pieces: AsyncIterator[bytes], transport: Transport) -> list[dict[str, Any]]:
    scope = {"type": "http", "headers": [], KEY: transport, "asgi": {"spec_version": "2.4"}}
    messages: list[dict[str, Any]] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    await Pieces(Request(scope), pieces, {}, "text/csv")(scope, receive, send)
    return messages


async def test_a_whole_answer_ends_and_leaves_the_connection() -> None:
    async def whole() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    transport = Transport()
    messages = await sent(whole(), transport)
    assert b"".join(one.get("body", b"") for one in messages) == b"ab"
    assert messages[-1]["more_body"] is False
    assert not transport.aborted


async def test_one_that_fails_in_the_middle_breaks_the_connection_and_never_ends() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionError("the database went away")

    transport = Transport()
    messages = await sent(half(), transport)
    assert transport.aborted
    assert all(one.get("more_body", True) for one in messages)


async def test_a_long_history_is_asked_for_page_by_page_and_no_alert_is_left_out() -> None:
    total, asked = PAGE * 2 + 3, []
    (entry,) = an_alert("bi:c2015:gihanga").appends[0].entries

    async def fetch(query: str, after: int, until: int, limit: int, *_: object) -> Sequence[Row]:
        assert query == SQL["after"]
        asked.append((after, limit))
        return [row(position) for position in range(after + 1, min(after + limit, total) + 1)]

    def row(position: int) -> dict[str, Any]:
        return {
            "position": position, "stream": "alert/x", "version": position, "event_id": entry.event_id,
            "type": entry.type, "home": "h", "recorded_at": datetime(2026, 5, 20, tzinfo=UTC),
            "command_id": entry.event_id, "command_mac": b"", "body": entry.body, "splice_version": 1,
            "earlier_in_its_hour": 0,
        }  # fmt: skip

    async def from_level(_: str) -> int:
        return 3

    pages = [page async for page in History(fetch, from_level, total).all()]
    assert [one.position for page in pages for one in page] == list(range(1, total + 1))
    assert max(map(len, pages)) == PAGE
    assert asked == [(0, PAGE), (PAGE, PAGE), (2 * PAGE, PAGE), (total, PAGE)]
