"""The feed of alerts: nothing twice, nothing left out, whoever joins when; and nobody's slowness is anybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from services import clock
from services.api import feed as feeds
from services.api.feed import AlertFeed, CutOff, Listener
from services.ledger.memory import MemoryLedger
from tests.support.ledgers import events_for, note


class PublishedByHand:
    """Stands where the relay's progress is read: how far it is, is said here."""

    def __init__(self) -> None:
        self.reached = 0
        self._moved = asyncio.Event()

    async def position(self) -> int:
        return self.reached

    async def beyond(self, position: int) -> int:
        while self.reached <= position:
            self._moved.clear()
            await self._moved.wait()
        return self.reached

    def reach(self, position: int) -> None:
        self.reached = position
        self._moved.set()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(clock.now)


@pytest.fixture
def published() -> PublishedByHand:
    return PublishedByHand()


@pytest.fixture
async def feed(ledger: MemoryLedger, published: PublishedByHand) -> AsyncIterator[AlertFeed]:
    made = AlertFeed(ledger, published)
    await made.begin()
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


async def append(ledger: MemoryLedger, *types: str) -> int:
    """One event of each type, in order; the position of the last."""
    for type_name in types:
        command = uuid4()
        (entry,) = events_for(command, f"alert/{command}", 0).entries
        moved = events_for(command, f"alert/{command}", 0)
        await ledger.append(
            replace(note(command_id=command), appends=(replace(moved, entries=(replace(entry, type=type_name),)),))
        )
    return (await ledger.head()).position


def ids(piece: bytes) -> list[int]:
    return [int(line[4:]) for line in piece.split(b"\n") if line.startswith(b"id: ")]


async def told(feed: AlertFeed, position: int) -> None:
    async with asyncio.timeout(10):
        while feed.head < position:  # noqa: ASYNC110 - another task of this loop moves it
            await asyncio.sleep(0)


async def heard(listener: Listener, last: int) -> list[int]:
    got: list[int] = []
    async with asyncio.timeout(10):
        while not got or got[-1] < last:
            got += ids(await listener.next())
    return got


async def test_alerts_come_in_order_once_they_are_on_kafka_and_nothing_else_comes(
    ledger: MemoryLedger, published: PublishedByHand, feed: AlertFeed
) -> None:
    with feed.listen() as listener:
        await append(ledger, "alert.issued", "report.received", "alert.issued", "alert.issued")
        published.reach(3)
        assert await heard(listener, 3) == [1, 3]
        published.reach(4)
        assert await heard(listener, 4) == [4]


@pytest.mark.parametrize("joined_after", range(7))
async def test_who_joins_at_any_moment_hears_each_alert_after_their_last_one_once(
    ledger: MemoryLedger, published: PublishedByHand, feed: AlertFeed, joined_after: int
) -> None:
    await append(ledger, *["alert.issued"] * 6)
    published.reach(joined_after)
    await told(feed, joined_after)
    with feed.listen() as listener:
        published.reach(6)
        got = [one async for piece in feed.missed(2, listener) for one in ids(piece)]
        if joined_after < 6:
            got += await heard(listener, 6)
    assert [one for one in got if one > 2] == [3, 4, 5, 6]


async def test_who_was_told_more_by_another_api_hears_only_what_comes_after_that(
    ledger: MemoryLedger, published: PublishedByHand, feed: AlertFeed
) -> None:
    await append(ledger, *["alert.issued"] * 6)
    published.reach(2)
    await told(feed, 2)
    with feed.listen(after=4) as listener:
        assert [piece async for piece in feed.missed(4, listener)] == []
        published.reach(6)
        assert await heard(listener, 6) == [5, 6]


async def test_no_piece_is_larger_than_what_may_wait_for_one_client(
    monkeypatch: pytest.MonkeyPatch, ledger: MemoryLedger, published: PublishedByHand, feed: AlertFeed
) -> None:
    monkeypatch.setattr(feeds, "PIECE_BYTES", 2_000)
    published.reach(await append(ledger, *["alert.issued"] * 9))
    with feed.listen() as listener:
        await told(feed, 9)
        pieces: list[bytes] = []
        async with asyncio.timeout(10):
            while not pieces or ids(pieces[-1])[-1] < 9:
                pieces.append(await listener.next())
    assert [one for piece in pieces for one in ids(piece)] == list(range(1, 10))
    assert len(pieces) > 1
    assert all(len(piece) <= 2_000 for piece in pieces)


async def test_who_does_not_go_when_sent_home_is_broken_off(monkeypatch: pytest.MonkeyPatch, feed: AlertFeed) -> None:
    monkeypatch.setattr(feeds, "LEAVE_SECONDS", 0)
    broken_off = asyncio.Event()
    with feed.listen(break_off=broken_off.set):
        feed.end()
        async with asyncio.timeout(10):
            await broken_off.wait()


async def test_what_was_missed_comes_in_pages(
    monkeypatch: pytest.MonkeyPatch, ledger: MemoryLedger, published: PublishedByHand, feed: AlertFeed
) -> None:
    monkeypatch.setattr(feeds, "MISSED_PAGE", 2)
    last = await append(ledger, *["alert.issued"] * 5)
    published.reach(last)
    await told(feed, last)
    with feed.listen() as listener:
        assert [ids(piece) async for piece in feed.missed(0, listener)] == [[1, 2], [3, 4], [5]]


async def test_who_is_too_far_behind_is_cut_off_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch, ledger: MemoryLedger, published: PublishedByHand, feed: AlertFeed
) -> None:
    monkeypatch.setattr(feeds, "MOST_WAITING", 3)
    with feed.listen() as slow, feed.listen() as quick:
        for position in range(1, 7):
            await append(ledger, "alert.issued")
            published.reach(position)
            assert await heard(quick, position) == [position]
        with pytest.raises(CutOff):
            await slow.next()
    assert feed.listeners == 0


async def test_everybody_is_sent_home_when_the_process_ends_also_who_comes_late(feed: AlertFeed) -> None:
    with feed.listen() as listener:
        feed.end()
        with pytest.raises(CutOff):
            await listener.next()
    with feed.listen() as late, pytest.raises(CutOff):
        await late.next()
