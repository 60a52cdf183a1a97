"""A witness answers as C2SP tlog-witness says; who asks too slowly, or too much, keeps nobody else waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from services.local.problems import PortTaken
from services.witness.folder import Folder
from services.witness.server import LARGEST_BODY, serving
from services.witness.witness import Witness
from tests.support.witnessing import TrialLog, entries, is_cosigned, new_folder

HONEST, FORK = TrialLog(entries(16)), TrialLog(entries(4) + entries(12, "other"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return new_folder(tmp_path / "w")


@pytest.fixture
async def address(folder: Folder) -> AsyncIterator[str]:
    with Witness.opened(folder) as witness:
        async with serving(witness, "127.0.0.1", 0, read_seconds=1) as address:
            yield address


async def post(address: str, body: bytes, to: str = "/add-checkpoint") -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.post(address + to, data=body) as response:
        return response.status, response.content_type, await response.text()


def connection(address: str) -> tuple[str, int]:
    host, port = address.removeprefix("http://").split(":")
    return host, int(port)


async def test_it_answers_as_the_specification_says(address: str, folder: Folder) -> None:
    status, _, line = await post(address, HONEST.request(0, 8))
    assert status == 200
    assert is_cosigned(folder, HONEST.note(8).split("\n\n")[0] + "\n", line)
    assert await post(address, HONEST.request(0, 9)) == (409, "text/x.tlog.size", "8\n")
    assert (await post(address, FORK.request(8, 8)))[:2] == (409, "text/plain")
    assert (await post(address, FORK.request(8, 9)))[0] == 422
    assert (await post(address, b"nonsense"))[0] == 400
    assert (await post(address, HONEST.request(8, 9), to="/other"))[0] == 404
    async with aiohttp.ClientSession() as session, session.get(address + "/add-checkpoint") as response:
        assert response.status == 405


async def test_of_two_that_fork_at_once_one_is_cosigned(address: str) -> None:
    bodies = [one.request(0, size) for one in (HONEST, FORK) for size in range(5, 13)]
    answers = await asyncio.gather(*(post(address, body) for body in bodies))
    assert sorted({status for status, *_ in answers}) == [200, 409]
    assert [status for status, *_ in answers].count(200) == 1


async def test_what_is_too_long_is_not_read(address: str) -> None:
    assert (await post(address, b"x" * (LARGEST_BODY + 1)))[0] == 413
    assert (await post(address, HONEST.request(0, 8)))[0] == 200


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 900\r\n\r\nold 0\n",
    ],
)
async def test_who_does_not_go_on_is_sent_away(address: str, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection(*connection(address))
    try:
        writer.write(begun)
        await writer.drain()
        assert (await post(address, HONEST.request(0, 8)))[0] == 200, "meanwhile others are answered"
        said = await asyncio.wait_for(reader.read(), 60)
        assert not said or said.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))
    finally:
        writer.close()


async def test_a_port_that_is_taken_is_told(address: str, tmp_path: Path) -> None:
    with (
        Witness.opened(new_folder(tmp_path / "other", "other.example.org")) as witness,
        pytest.raises(PortTaken, match="choose another one by --listen"),
    ):
        async with serving(witness, *connection(address)):
            pass


async def test_what_is_wrong_with_its_machine_is_told_to_nobody_else(address: str, folder: Folder) -> None:
    (folder.path / "logs.txt").write_text("nonsense\n")
    assert await post(address, HONEST.request(0, 8)) == (503, "text/plain", "this witness cannot answer now\n")
