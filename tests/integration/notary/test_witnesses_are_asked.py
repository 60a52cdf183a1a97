"""Witnesses cosign what the notary signs: real ones and false ones, each apart from the others and from the signing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import generate_latest

from services.ledger.ledger import Ledger
from services.local.postgres import PostgresServer
from services.notary import notary
from services.notary.checkpoint import STREAM, Checkpoint
from services.notary.keys import LogKeys
from services.notary.operator import Cosigner
from services.notary.posting import MOST_READ_BYTES, Answer, Posting
from services.notary.witnesses import Named, Witness
from services.tlog.notes import Kind, Note, Signer
from services.witness.folder import Folder
from services.witness.server import serving
from services.witness.witness import Witness as WitnessProgram
from tests.support.notaries import ORIGIN, AskedLog, an_asked_log
from tests.support.witnessing import NOON

NAMES = ("witness.example.org/w1", "witness.example.org/w2")
FALSE = Signer("false.example.org", Ed25519PrivateKey.from_private_bytes(sha256(b"false").digest()))
OTHER = Signer("false.example.org", Ed25519PrivateKey.from_private_bytes(sha256(b"other").digest()))


@pytest.fixture
async def log(postgres: PostgresServer, fresh_database: str, tmp_path: Path) -> AsyncIterator[AskedLog]:
    async with an_asked_log(postgres, fresh_database, tmp_path) as log:
        yield log


def a_folder(log: AskedLog, path: Path, name: str = NAMES[0], trusts: bool = True) -> Folder:
    """That of a witness, which watches the log where it trusts it."""
    folder = Folder(path)
    folder.make(name)
    if trusts:
        for key in LogKeys.read(log.keys).verifiers(ORIGIN):
            folder.trust(key)
    return folder


@asynccontextmanager
async def served(folder: Folder) -> AsyncIterator[Witness]:
    """A witness that answers over HTTP."""
    with WitnessProgram.opened(folder) as program:
        async with serving(program, "127.0.0.1", 0) as url:
            yield Witness(url, folder.verifier())


Answers = Callable[[str], web.StreamResponse]
"""What a false witness answers, by the text of the checkpoint that it is asked about."""


@asynccontextmanager
async def false_witness(answers: Answers) -> AsyncIterator[Witness]:
    """One that answers whatever a test says."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return answers((await request.text()).partition("\n\n")[2].partition("\n\n")[0] + "\n")

    async def follow(request: web.Request) -> web.StreamResponse:
        return web.Response(text="followed")

    app = web.Application()
    app.router.add_post("/at/add-checkpoint", answer)
    app.router.add_post("/elsewhere/add-checkpoint", follow)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}/at/".format(*runner.addresses[0][:2])
        yield Witness(url, FALSE.verifier(Kind.COSIGNATURE))
    finally:
        await runner.cleanup()


async def signed_sizes(ledger: Ledger) -> list[int]:
    return [Checkpoint.recorded(row.body, row.position).size for row in await ledger.read_stream(STREAM)]


async def kept(log: AskedLog) -> dict[int, list[str]]:
    """The lines of every cosignature, by size."""
    connection = await asyncpg.connect(log.dsn)
    try:
        found: dict[int, list[str]] = {}
        for row in await connection.fetch("select size, line from notary.cosignature order by size, witness"):
            found.setdefault(row[0], []).append(row[1])
        return found
    finally:
        await connection.close()


def has(size: int, place: int = 0) -> Callable[[Sequence[Cosigner]], bool]:
    """Whether a witness has come as far as this."""
    return lambda found: len(found) > place and found[place].size >= size


def says(words: str, place: int = 0) -> Callable[[Sequence[Cosigner]], bool]:
    return lambda found: len(found) > place and words in (found[place].refused_because or "")


async def test_every_last_checkpoint_is_cosigned_and_each_cosignature_fits_its_checkpoint(
    log: AskedLog, tmp_path: Path
) -> None:
    async with served(a_folder(log, tmp_path / "w")) as witness, log.notary(witness):
        for _ in range(3):
            await log.until(has(await log.grow(7)))
    notes = {
        one.size: one
        for one in (Checkpoint.recorded(row.body, row.position) for row in await log.ledger.read_stream(STREAM))
    }
    found = await kept(log)
    assert len(found) == 3
    for size, lines in found.items():
        assert Note.parse(notes[size].note + "".join(lines)).signed_by([witness.key]) == [witness.key]
    (stands,) = await log.until(lambda found: True)
    assert (stands.key, stands.asked, stands.size, stands.refused_because) == (witness.key, True, max(found), None)
    assert stands.cosigned_at is not None


async def test_a_witness_that_comes_or_goes_is_noticed_while_the_notary_runs(
    log: AskedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notary, "LOOK_SECONDS", 0.02)
    file = tmp_path / "witnesses"
    async with (
        served(a_folder(log, tmp_path / "one")) as one,
        served(a_folder(log, tmp_path / "two", NAMES[1])) as two,
    ):
        lines = [f"{each.url} {each.key}\n" for each in (one, two)]
        file.write_text(lines[0])
        async with log.notary(named=Named.read(file)):
            await log.until(has(await log.grow(7)))
            file.write_text("".join(lines))
            await log.until(lambda found: [each.asked for each in found] == [True, True])
            await log.until(has(await log.grow(7), 1))
            file.write_text("no line of witnesses\n")  # whoever writes it has not finished, or is mistaken
            await log.until(has(both := await log.grow(7), 1))
            file.write_text(lines[1])
            found = await log.until(lambda found: [each.asked for each in found] == [True, False])
            assert [each.key for each in found] == [two.key, one.key]
            last = await log.grow(7)
            stands, gone = await log.until(has(last))
    assert (stands.size, gone.size) == (last, both)
    figures = generate_latest(log.metrics.registry).decode()
    assert f'intabaza_notary_cosigned_size{{witness="{NAMES[1]}"}} {float(last)}' in figures
    assert NAMES[0] not in figures, "of whoever is asked no more there is no figure, that could be an alarm"


async def test_killed_between_an_answer_and_keeping_it_the_next_asking_mends_it(log: AskedLog, tmp_path: Path) -> None:
    folder = a_folder(log, tmp_path / "w")
    async with served(folder) as witness, Posting.opened(10) as posting:
        answered = asyncio.Event()

        async def never_kept(url: str, body: bytes) -> Answer:
            assert (await posting.post(url, body)).status == 200
            answered.set()
            await asyncio.Event().wait()
            raise AssertionError

        async with log.notary(witness):
            await log.until(has(first := await log.grow(5)))
        async with log.notary(witness, post=never_kept):
            second = await log.grow(5)
            await asyncio.wait_for(answered.wait(), 60)
        assert list(await kept(log)) == [first]
        async with log.notary(witness):  # of the very checkpoint, which the witness cosigned already
            await log.until(has(second))
        answered.clear()
        async with log.notary(witness, post=never_kept):
            await log.grow(5)
            await asyncio.wait_for(answered.wait(), 60)
        async with log.notary(witness):  # of a later one, with a proof from what only the witness knows of
            await log.until(has(await log.grow(5)))
        assert folder.state().logs[ORIGIN].head.size == max(await kept(log))


async def test_one_that_is_slow_or_away_keeps_nobody_waiting_and_is_asked_again(log: AskedLog, tmp_path: Path) -> None:
    asked, goes_on = asyncio.Event(), asyncio.Event()
    quick_folder, slow_folder = a_folder(log, tmp_path / "w"), a_folder(log, tmp_path / "slow", NAMES[1])
    async with (
        served(quick_folder) as quick,
        served(slow_folder) as slow,
        Posting.opened(10) as posting,
    ):
        away = Witness("http://127.0.0.1:1", FALSE.verifier(Kind.COSIGNATURE))

        async def post(url: str, body: bytes) -> Answer:
            if url == slow.asked_at:
                asked.set()
                await goes_on.wait()
            return await posting.post(url, body)

        async with log.notary(slow, quick, away, post=post):
            for _ in range(4):
                await log.until(has(size := await log.grow(3), 1))
            await asyncio.wait_for(asked.wait(), 60)
            found = await log.until(says("it refused the connection", 2))
            assert [one.size for one in found] == [0, size, 0]
            assert (
                log.metrics.registry.get_sample_value("intabaza_notary_witness_refuses", {"witness": away.key.name})
                == 1
            )
            goes_on.set()
            await log.until(has(size, 0))  # after what it was slow about it is asked about the last one
    assert set(await kept(log)) <= set(await signed_sizes(log.ledger))


async def test_one_that_takes_too_long_is_given_up(log: AskedLog) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_024):
            pass
        writer.close()

    async with asyncio.timeout(60), await asyncio.start_server(never, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with log.notary(Witness(f"http://127.0.0.1:{port}", FALSE.verifier(Kind.COSIGNATURE))):
            await log.grow()
            await log.until(says("it did not answer in time"))


def _redirect(text: str) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect("/elsewhere/add-checkpoint")


LIES: dict[str, tuple[Answers, str]] = {
    "of something else": (lambda text: web.Response(text=FALSE.cosign(f"{text}more\n", 5)), "does not fit"),
    "a note's signature": (lambda text: web.Response(text=FALSE.sign(text)), "no cosignature of false.example.org"),
    "by another key": (lambda text: web.Response(text=OTHER.cosign(text, 5)), "no cosignature of false.example.org"),
    "one that fits, and one that does not": (
        lambda text: web.Response(text=FALSE.cosign(text, 5) + FALSE.cosign(f"{text}more\n", 5)), "does not fit",
    ),
    "a note of its own": (lambda text: web.Response(text=f"\nown\n\n{FALSE.cosign(text, 5)}"), "more than lines"),
    "of no time": (lambda text: web.Response(text=FALSE.cosign(text, 1 << 63)), "a time that there is not"),
    "nothing": (lambda text: web.Response(text=""), "no lines of signatures"),
    "no text": (lambda text: web.Response(body=b"\xff\xfe\x00"), "no lines of signatures"),
    "too much": (lambda text: web.Response(text="x" * (MOST_READ_BYTES + 1)), "longer than 65536 bytes"),
    "elsewhere": (_redirect, "redirects are not followed"),
    "refuses": (lambda text: web.Response(status=422, text="\x1b[2Jno, \u202ethat is forked\nmore"),
                "it answered 422: [2Jno, that is forked"),
    "one's own size": (
        lambda text: web.Response(status=409, text="0\n", content_type="text/x.tlog.size"), "refuses the one",
    ),
    "a size beyond": (
        lambda text: web.Response(status=409, text="99999\n", content_type="text/x.tlog.size"),
        "it cosigned size 99999 of this log before",
    ),
    "no size": (
        lambda text: web.Response(status=409, text="1e3\n", content_type="text/x.tlog.size"), "it answered 409: 1e3",
    ),
    "many words": (lambda text: web.Response(status=403, text="no " * 20_000), "it answered 403: no no no"),
    "is broken": (lambda text: web.Response(status=503), "it answered 503"),
}  # fmt: skip


async def test_no_lie_is_kept_and_each_is_shown_until_there_is_a_cosignature(log: AskedLog) -> None:
    answers: Answers = LIES["nothing"][0]
    async with false_witness(lambda text: answers(text)) as witness, log.notary(witness):
        for name, (answers, words) in LIES.items():  # noqa: B007
            await log.grow()
            (found,) = await log.until(says(words))
            assert found.size == 0, name
        since = found.refused_since
        assert await kept(log) == {}
        answers = lambda text: web.Response(text=OTHER.cosign(text, 5) + FALSE.cosign(text, 5))  # noqa: E731
        size = await log.grow()
        (found,) = await log.until(has(size))
        assert (found.refused_because, found.refused_since) == (None, None)
        answers = LIES["is broken"][0]
        await log.grow()
        (found,) = await log.until(says("503"))
        assert found.refused_since is not None
        assert since is not None
        assert found.refused_since > since


async def test_a_witness_that_cosigned_another_history_refuses_and_that_is_shown(log: AskedLog, tmp_path: Path) -> None:
    folder = a_folder(log, tmp_path / "w")
    (signer,) = LogKeys.read(log.keys).signers(ORIGIN, None)
    forked = Checkpoint.sign(ORIGIN, 3, sha256(b"another history").digest(), [signer])
    with WitnessProgram.opened(folder) as program:
        program.add(f"old 0\n\n{forked.note}".encode(), NOON)
    async with served(folder) as witness, log.notary(witness):
        await log.grow(5)
        (found,) = await log.until(says("it answered 422: the proof does not lead from size 3"))
        assert found.size == 0
    assert await signed_sizes(log.ledger) == [5], "signing goes on"


async def test_one_that_learns_of_the_log_later_cosigns_then(log: AskedLog, tmp_path: Path) -> None:
    folder = a_folder(log, tmp_path / "w", trusts=False)
    async with served(folder) as witness, log.notary(witness):
        size = await log.grow(2)
        await log.until(says("it answered 404: this witness does not watch a log"))
        for key in LogKeys.read(log.keys).verifiers(ORIGIN):
            folder.trust(key)
        await log.until(has(size))  # about the same checkpoint, as nothing new comes


async def test_one_that_is_left_out_of_the_file_is_asked_no_more_and_what_it_cosigned_stays(
    log: AskedLog, tmp_path: Path
) -> None:
    first, second = a_folder(log, tmp_path / "1"), a_folder(log, tmp_path / "2", NAMES[1])
    async with served(first) as one, served(second) as other:
        async with log.notary(one, other):
            size = await log.grow()
            await log.until(lambda found: has(size)(found) and has(size, 1)(found))
        async with log.notary(other):
            later = await log.grow()
            found = await log.until(has(later))
        assert [(one.key.name, one.asked, one.size) for one in found] == [
            (NAMES[1], True, later),
            (NAMES[0], False, size),
        ]
