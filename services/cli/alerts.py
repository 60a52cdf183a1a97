"""`intabaza alerts export`: what strangers were told, as files in the forms that others read."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services import clock
from services.cli.explain import adopted_gazetteer
from services.ledger.ledger import unavailable
from services.local.addresses import find_addresses
from services.local.folder import DISK
from services.local_problem import LocalProblem
from services.settings import Settings, read_settings

if TYPE_CHECKING:
    from services.bulletins.export import Exported

app = typer.Typer(help="What strangers were told.", no_args_is_help=True)


class Form(StrEnum):
    """In which form alerts are written."""

    CAP = "cap"
    GEOJSON = "geojson"
    CSV = "csv"


@app.callback()
def _alerts() -> None:
    """What strangers were told."""


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="The folder to write to; it is made where it is not there.")],
    form: Annotated[Form, typer.Option("--format", help="As documents of CAP 1.2, as GeoJSON or as CSV.")],
) -> None:
    """Write every alert that is on Kafka: a CAP document each, or one file of all with what it needs beside it.

    Says up to which hour they are all there: in the files, and here.
    """
    from services.bulletins.shapes import BoundariesRefused
    from services.bulletins.signing import SigningRefused

    try:
        folder.mkdir(parents=True, exist_ok=True)
        exported = asyncio.run(_export(read_settings(), form, folder))
    except (BoundariesRefused, SigningRefused) as why:
        raise LocalProblem(str(why)) from None
    except OSError as why:
        if why.filename is None and why.errno not in DISK:  # the database went away while it was read
            raise unavailable(why) from why
        raise LocalProblem(f"{why.filename or folder} cannot be written ({why.strerror}): choose a folder.") from None
    up_to = "nothing is on Kafka yet" if exported.up_to is None else f"all that was told before {exported.up_to}"
    typer.echo(f"{exported.alerts} alerts in {folder}: {up_to}.")


async def _export(settings: Settings, form: Form, folder: Path) -> Exported:
    import asyncpg

    from services.bulletins import export as files
    from services.bulletins.history import History
    from services.bulletins.issuer import boundaries_of, issuer_of
    from services.bulletins.shapes import where_in
    from services.ledger.postgres import PostgresLedger
    from services.ledger.published import Published
    from services.words.said import alerts_from

    issuer, boundaries, dsn = issuer_of(settings), boundaries_of(settings), find_addresses(settings).app_dsn
    ledger = await PostgresLedger.connect(dsn, clock.now)
    published = Published(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        history = History(connection.fetch, alerts_from(ledger, {}), await published.position())
        match form:
            case Form.CAP:
                return await files.export_cap(history, issuer, boundaries, folder)
            case Form.GEOJSON:
                where = where_in(await adopted_gazetteer(ledger), boundaries)
                return await files.export_geojson(history, issuer, where, folder)
            case Form.CSV:
                return await files.export_csv(history, issuer, folder)
    finally:
        await connection.close()
        await published.close()
        await ledger.close()
