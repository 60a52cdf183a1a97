"""`intabaza forget-moments`: what was folded for who asked about the past is dropped, and folded again when asked."""

from __future__ import annotations

import asyncio

import typer

from services.local.addresses import find_addresses
from services.local.topics import EVENTS
from services.settings import read_settings


def forget_moments() -> None:
    """Drop what stands of past moments, for room on the disk; nothing is lost, since it is folded again when asked."""
    typer.echo(f"{asyncio.run(_forget())} places of past moments were dropped.")


async def _forget() -> int:
    from services.database.lost import LOST
    from services.ledger.ledger import unavailable
    from services.past.standing import standing  # it brings asyncpg and kafka-python

    addresses = find_addresses(read_settings())
    try:
        async with standing(addresses.projector_dsn, addresses.bootstrap, EVENTS, 1) as places:
            return await places.forget()
    except LOST as error:
        raise unavailable(error) from error
