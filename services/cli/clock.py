"""`intabaza clock …`: the ledger's clock, confirmed by an operator when it seems wrong and is right."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from services import clock
from services.ledger.postgres import PostgresLedger
from services.local.addresses import find_addresses
from services.settings import read_settings

app = typer.Typer(help="The ledger's clock.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The ledger's clock."""


@app.command()
def accept(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: this was looked at already.")] = False,
) -> None:
    """Confirm that the database's clock is right, though it differs from this machine's or jumped ahead.

    What is recorded under a wrong clock can never be taken back, so look at a third clock first.
    """
    here = clock.now()
    if not yes:
        typer.confirm(
            f"This machine's clock says {here:%Y-%m-%d %H:%M:%S} UTC. Is the database's clock right?", abort=True
        )
    asyncio.run(_accept(find_addresses(read_settings()).app_dsn))
    typer.echo("Confirmed: appends go on under the database's clock.")


async def _accept(dsn: str) -> None:
    ledger = await PostgresLedger.connect(dsn, clock.now)
    try:
        await ledger.accept_clock()
    finally:
        await ledger.close()
