"""What an accepted event rests on in the vault is there after a crash, though only the append is synced."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from secrets import token_bytes
from uuid import uuid4

import psutil
import pytest

from events.sealed import KeyKind, Sealed
from services import clock
from services.database.migrate import migrate
from services.ledger.ledger import KeyDestroyed, LedgerUnavailable, Unknown
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.vault.master import MasterKey
from services.vault.refused import NoSuchKey, VaultUnavailable
from services.vault.sealing import Sealer, open_text
from tests.support.taken_in import TakenIn, assert_opens, take_one_in
from tests.support.vaults import PostgresVault, Told, clear, postgres_vault, submission_of

WRITERS = ("walwriter", "background writer", "checkpointer", "autovacuum launcher")


def freeze_writers(server: PostgresServer) -> None:
    """From now on the log is on the disk up to the last synced commit and no further."""
    children = psutil.Process(server.pid).children()
    writers = [one for one in children if any(name in " ".join(one.cmdline()) for name in WRITERS)]
    assert len(writers) == len(WRITERS), children
    for one in writers:
        one.suspend()


async def test_keys_and_links_of_an_accepted_event_outlive_a_killed_server(durable_postgres: PostgresServer) -> None:
    server, master, report, case = durable_postgres, MasterKey(token_bytes(32)), uuid4(), uuid4()
    stream = f"report/{report}"
    await migrate(server.dsn())
    ledger = await PostgresLedger.connect(server.dsn(user="intabaza_app"), clock.now)
    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        told = Told(text=clear("words", KeyKind.REPORT, report))
        (sealed,), key_ids = await Sealer(vault.keys).seal(stream, 1, [told])
        # After the keys, whose own sync would take the links along: nothing but the append is left to do it.
        person = await vault.persons.person_by_phone("+25779000000")
        name = await vault.persons.pseudonym(person, case)
        reporter = await vault.persons.reporter_id(person, "bi:home:1")
        await vault.persons.record_source(report, person)
        await ledger.append(submission_of(stream, (sealed,), key_ids))
        server.kill()
    await ledger.close()

    server.start()
    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        assert await vault.persons.find_person("+25779000000") == person
        assert await vault.persons.pseudonym(person, case) == name
        assert await vault.persons.reporter_id(person, "bi:home:1") == reporter
        assert await vault.persons.same_person(report, person) is True
        assert isinstance(sealed.text, Sealed)
        (key,) = (await vault.keys.open_keys(key_ids)).values()
        assert open_text(sealed.text, key, stream, 1, "text") == "words"


async def test_a_key_that_a_crash_took_refuses_the_append_that_names_it(durable_postgres: PostgresServer) -> None:
    server, master, report = durable_postgres, MasterKey(token_bytes(32)), uuid4()
    await migrate(server.dsn())
    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        freeze_writers(server)  # a slow machine would give them time to sync the key
        told = Told(text=clear("words", KeyKind.REPORT, report))
        sealed, key_ids = await Sealer(vault.keys).seal("report/1", 1, [told])
        server.kill()
    server.start()
    ledger = await PostgresLedger.connect(server.dsn(user="intabaza_app"), clock.now)
    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        with pytest.raises(NoSuchKey):
            await vault.keys.open_keys(key_ids)
    with pytest.raises(KeyDestroyed):
        await ledger.append(submission_of("report/1", sealed, key_ids))
    await ledger.close()


async def test_of_reports_taken_in_until_a_server_is_killed_each_in_the_ledger_has_its_keys_and_its_source(
    durable_postgres: PostgresServer,
) -> None:
    """Sixteen callers take reports in and append them; nothing but the appends is synced."""
    server, master = durable_postgres, MasterKey(token_bytes(32))
    await migrate(server.dsn())
    ledger = await PostgresLedger.connect(server.dsn(user="intabaza_app"), clock.now)
    accepted: list[TakenIn] = []

    async def caller(vault: PostgresVault) -> None:
        with suppress(VaultUnavailable, LedgerUnavailable, Unknown):
            while True:
                accepted.append(await take_one_in(vault, ledger))

    async def killed() -> None:
        async with asyncio.timeout(60):
            while len(accepted) < 300:  # noqa: ASYNC110 - it is the callers that count
                await asyncio.sleep(0.001)
        server.kill()

    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        await asyncio.gather(killed(), *(caller(vault) for _ in range(16)))
    await ledger.close()

    server.start()
    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        for one in accepted:
            await assert_opens(vault, one)
