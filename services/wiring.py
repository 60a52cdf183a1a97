"""The one place where parts are put together; nothing is connected at import."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import tzinfo

from events.places.gazetteer import Gazetteer
from services import clock
from services.acts.network import Committee, Network
from services.desk import Desk
from services.ledger.postgres import PostgresLedger
from services.vault.commands import CommandIds
from services.vault.connection import connect_vault
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from services.vault.opening import Opener
from services.vault.register import PersonRegister
from services.vault.sealing import Sealer


@asynccontextmanager
async def open_network(
    app_dsn: str,
    vault_dsn: str,
    master: MasterKey,
    gazetteer: Gazetteer,
    committee: Committee,
    *,
    zone: tzinfo,
    source: str,
) -> AsyncIterator[Network]:
    """Everything an act needs, on a migrated database: ledger and vault each under their own role."""
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    try:
        pool = await connect_vault(vault_dsn)
        keys = KeyRing(pool, master)
        try:
            ids = CommandIds(master)
            desk = Desk(
                ledger, Sealer(keys), PersonRegister(pool, master), ids, clock=clock.now, zone=zone, source=source
            )
            yield Network(desk, Opener(keys, ledger, ids, source), gazetteer, committee)
        finally:
            await keys.close()
            await pool.close()
    finally:
        await ledger.close()
