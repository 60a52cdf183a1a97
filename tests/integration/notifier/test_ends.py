"""A notifier that is asked to end begins nothing more and records what was answered: the next one repeats nothing."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web

from services.notifier import notifier as running
from services.notifier import sender
from tests.support.notifying import NotifyTrial
from tests.support.receivers import Receiver, a_receiver, hangs, takes


async def quickly(receiver: Receiver, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.01)
    return web.Response(status=204)


async def test_nothing_is_begun_while_it_waits_for_one_that_hangs(trial: NotifyTrial) -> None:
    async with a_receiver(hangs) as hanging, a_receiver(quickly) as receiver:
        await trial.subscribe(hanging.url)
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying() as notifier:
            rows = await trial.tell(400)
            await hanging.until(lambda: len(hanging.came) == 1)
            await receiver.has_taken(10)
            notifier.stop()
            at_the_stop = len(receiver.came)
        assert len(receiver.came) <= at_the_stop + 1
        hanging.behaves = takes
        async with trial.notifying():
            await receiver.has_taken(400)
            await trial.stands(subscriber_id, f"position = {rows[-1].position}")
        assert [one.position for one in receiver.came] == [row.position for row in rows]


async def test_what_was_answered_is_recorded_though_the_answer_goes_on(
    trial: NotifyTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_a_little = sender._read_a_little
    reads = asyncio.Event()

    async def read(response: ClientResponse) -> None:
        reads.set()
        await read_a_little(response)

    async def goes_on(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        receiver.taken.append(receiver.came[-1])
        await receiver.closing.wait()
        return response

    monkeypatch.setattr(sender, "_read_a_little", read)
    monkeypatch.setattr(running, "DRAIN_SECONDS", 0.01)
    async with a_receiver(goes_on) as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying() as notifier:
            [row] = await trial.tell()
            await reads.wait()
            notifier.stop()
        assert (await trial.find(subscriber_id)).position == row.position
    assert all(before.position < after.position for before, after in pairwise(receiver.came))


@pytest.mark.parametrize("content", [None, "no certificate\n"])
async def test_authorities_that_cannot_be_read_are_told_in_a_sentence(
    trial: NotifyTrial, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    with trial.process(INTABAZA_NOTIFIER_AUTHORITIES_FILE=str(file)) as notifier:
        assert await notifier.ended(20) == 1
        said = notifier.said
    expected = f"INTABAZA_NOTIFIER_AUTHORITIES_FILE: expected a file of certificates in PEM at {file} ("
    assert said.strip().splitlines()[-1].startswith(expected)
    assert "Traceback" not in said
