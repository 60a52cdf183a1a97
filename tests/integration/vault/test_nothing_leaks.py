"""After a history full of canaries none is in a table, a file of the server, a log, or an error's message."""

from __future__ import annotations

import logging
import traceback
from secrets import token_bytes
from typing import ClassVar
from uuid import uuid4

import asyncpg
import pytest

from events.custody import ViewPurpose
from events.event import Event
from events.sealed import KeyKind, Sealed
from events.vocabulary import Role
from services import clock
from services.database.migrate import migrate
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.vault.commands import CommandIds
from services.vault.master import MasterKey
from services.vault.opening import Opener
from services.vault.sealing import Sealer
from services.vault.used import UsedInMemory
from tests.support.canaries import Canaries
from tests.support.vaults import SOURCE, Told, act_of, clear, postgres_vault, submission_of


async def test_no_canary_reaches_a_table_a_file_a_log_or_a_message(
    durable_postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server, canaries, messages = durable_postgres, Canaries(), []
    ledger = await _migrated(server)
    async with postgres_vault(server.dsn(user="intabaza_vault"), MasterKey(token_bytes(32))) as vault:
        person = await vault.persons.person_by_phone(canaries.phone("anna"))
        report = uuid4()
        stream = f"report/{report}"
        told = Told(
            text=clear(canaries.text("text") * 40, KeyKind.REPORT, report),
            contact=clear(canaries.phone("anna"), KeyKind.PERSON, person),
            note=clear(canaries.text("note"), KeyKind.CASE, uuid4()),
        )
        await vault.persons.record_source(report, person)
        sealed, key_ids = await Sealer(vault.keys).seal(stream, 1, [told], speaks_of=[person])
        await ledger.append(submission_of(stream, sealed, key_ids))
        (recorded,) = await ledger.read_stream(stream)
        opener = Opener(vault.keys, ledger, CommandIds(vault.master), SOURCE, UsedInMemory())
        opened = await opener.unseal(recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
        assert opened["text"].get_secret_value() == canaries.text("text") * 40

        await vault.keys.erase(person)
        assert isinstance(sealed[0].text, Sealed)
        assert isinstance(sealed[0].note, Sealed)
        carried = await opener.carry(stream, {"text": (1, sealed[0].text), "note": (1, sealed[0].note)})
        assert (set(carried.texts), carried.erased) == ({"note"}, frozenset({"text"}))
        messages.append(repr(carried))
        moved = {"note": (2, sealed[0].note)}
        for failing in (
            opener.unseal(recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW),
            opener.unseal(recorded, ["note"], act_of(Role.ADMIN), ViewPurpose.REVIEW),
            opener.carry(stream, moved),
            Sealer(vault.keys).seal(stream, 2, [told]),
            vault.persons.person_by_phone(canaries.phone("anna").removeprefix("+")),
        ):
            with pytest.raises(Exception) as refused:  # noqa: PT011 - whichever it is, it shows nothing
                await failing
            messages.append("".join(traceback.format_exception(refused.value)))
        with pytest.raises(Exception) as refused:  # noqa: PT011
            told.wire_data()
        messages.append("".join(traceback.format_exception(refused.value)))
    await ledger.close()

    assert await canaries.in_database(server.dsn()) == []
    assert canaries.in_bytes("\n".join(messages).encode(), "messages") == []
    assert canaries.in_bytes(caplog.text.encode(), "logs") == []
    server.stop()
    assert server.log.stat().st_size > 0
    assert canaries.in_folder(server.folder) == []


class Leaking(Event):
    """What no event of ours may be: personal words that nothing seals."""

    name: ClassVar[str] = "test.leaking"

    words: str


async def test_the_same_search_finds_a_text_that_was_not_sealed(durable_postgres: PostgresServer) -> None:
    canaries = Canaries()
    ledger = await _migrated(durable_postgres)
    stream = f"report/{uuid4()}"
    leak = Leaking(words=canaries.text("text"))
    await ledger.append(submission_of(stream, (leak,), frozenset()))
    await ledger.close()
    assert {found.where for found in await canaries.in_database(durable_postgres.dsn())} == {"ledger.event"}
    durable_postgres.stop()
    assert canaries.in_folder(durable_postgres.folder)


async def _migrated(server: PostgresServer) -> PostgresLedger:
    await migrate(server.dsn())
    owner = await asyncpg.connect(server.dsn())
    await owner.execute("alter database postgres set log_statement = 'all'")  # what an operator may do one day
    await owner.close()
    return await PostgresLedger.connect(server.dsn(user="intabaza_app"), clock.now)
