"""The intake in Postgres. Reports that come in at the same moment share one round trip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from services.vault.batch import Batch
from services.vault.connection import QUERIES
from services.vault.intake import Admitted, Arrival
from services.vault.keyring import Minting
from services.vault.keys import DataKey, Need
from services.vault.master import MasterKey
from services.vault.refused import KeyGone, SourceDiffers, VaultError


class Admissions:
    """Intake (services/vault/intake) on a pool of the role intabaza_vault. Use it within one event loop."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master
        self._arrivals = Batch[Arrival, Admitted]("take a report in", self._admit)

    async def close(self) -> None:
        """Take nothing in any more; who still waits is told that the vault is unavailable."""
        await self._arrivals.close()

    async def admit(self, arrival: Arrival) -> Admitted:
        return (await self._arrivals.ask([arrival]))[arrival]

    async def _admit(self, arrivals: Sequence[Arrival]) -> Mapping[Arrival, Admitted | VaultError]:
        writers = [(person, one.report_id, ref) for one in arrivals for person, ref in one.writers]
        sourced = [(one.report_id, one.source) for one in arrivals if one.source is not None]
        minting = Minting(self._master, tuple({need: None for one in arrivals for need in one.needs}))
        rows = await self._pool.fetch(
            QUERIES["admit"],
            *([row[column] for row in writers] for column in range(3)),
            *([row[column] for row in sourced] for column in range(2)),
            *minting.arguments,
        )
        told: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            told[row["what"]].append(row)
        refs = {writers[row["place"] - 1][:2]: _uuid(row["id"]) for row in told["writer"]}
        sources = {sourced[row["place"] - 1][0]: _uuid(row["id"]) for row in told["source"]}
        keys = minting.keys((row["place"], row["id"], row["wrapped"], row["wrap_version"]) for row in told["key"])
        return {one: _answer(one, refs, sources, keys) for one in arrivals}


def _answer(
    arrival: Arrival,
    refs: Mapping[tuple[UUID, UUID], UUID],
    sources: Mapping[UUID, UUID],
    keys: Mapping[Need, DataKey | VaultError],
) -> Admitted | VaultError:
    """What is wrong with one arrival is its own answer."""
    report_id = arrival.report_id
    if arrival.source is not None:
        if (source := sources.get(report_id)) is None:
            return KeyGone()
        if source != arrival.source:
            return SourceDiffers(report_id)
    mine: dict[Need, DataKey] = {}
    for need in arrival.needs:
        if isinstance(key := keys[need], VaultError):
            return key
        mine[need] = key
    try:
        return Admitted({person: refs[person, report_id] for person, _ in arrival.writers}, mine)
    except KeyError:  # nobody is named any more who is erased
        return KeyGone()


def _uuid(told: UUID) -> UUID:
    """Of the standard library's class; asyncpg's own compares equal and prints otherwise."""
    return UUID(int=told.int)
