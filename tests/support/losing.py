"""A ledger that loses its end, and what it was before: judged by SQL of the tests alone."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

DIGEST = """
select encode(sha256(convert_to(coalesce(string_agg(format(
    '%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s',
    position, stream, version, event_id, type, home, extract(epoch from recorded_at), command_id,
    encode(command_mac, 'hex'), encode(body, 'hex'), splice_version
), E'\\n' order by position), ''), 'UTF8')), 'hex')
from ledger.event where position <= coalesce($1, position)
"""
"""Every column of every row up to a position, in order."""


async def digest(owner: Owner, up_to: int | None = None) -> str:
    """What the ledger sums up to: the whole of it, or up to a position where a clock goes on that may append."""
    return str(await owner.fetchval(DIGEST, up_to))


async def lose(owner: Owner, after: int) -> None:
    """Take every event behind a position out of the ledger, and the memory of the relay; as superuser."""
    async with owner.transaction():
        await owner.execute("alter table ledger.event disable trigger user")
        await owner.execute("delete from ledger.event where position > $1", after)
        await owner.execute("alter table ledger.event enable trigger user")
        await owner.execute("delete from relay.partition")
        await owner.execute("update relay.progress set acknowledged = 0, halted_because = null")
        if after == 0:
            await owner.execute("update ledger.state set simulated = null, simulated_clock = null")
