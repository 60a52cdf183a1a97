"""What an accepted event rests on in the vault is there after a crash, though links are not synced by themselves."""

from __future__ import annotations

from secrets import token_bytes
from uuid import uuid4

import asyncpg

from events.sealed import KeyKind, Sealed
from services import clock
from services.database.migrate import migrate
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from services.vault.sealing import Sealer, open_text
from tests.support.vaults import Told, clear, postgres_vault, submission_of


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


async def test_a_key_is_on_disk_when_it_is_handed_out_whatever_the_session_says(
    durable_postgres: PostgresServer,
) -> None:
    server, master, report = durable_postgres, MasterKey(token_bytes(32)), uuid4()
    await migrate(server.dsn())
    hurried = await asyncpg.create_pool(
        server.dsn(user="intabaza_vault"), min_size=1, max_size=1, server_settings={"synchronous_commit": "off"}
    )
    told = Told(text=clear("words", KeyKind.REPORT, report))
    (sealed,), key_ids = await Sealer(KeyRing(hurried, master)).seal("report/1", 1, [told])
    server.kill()
    hurried.terminate()
    server.start()
    async with postgres_vault(server.dsn(user="intabaza_vault"), master) as vault:
        (key,) = (await vault.keys.open_keys(key_ids)).values()
        assert isinstance(sealed.text, Sealed)
        assert open_text(sealed.text, key, "report/1", 1, "text") == "words"
