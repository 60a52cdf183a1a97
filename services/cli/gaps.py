"""`intabaza gaps`: which answers did not come, how far each has climbed the ladder of the rules, what comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from events.level import Awaited
from services import clock
from services.cli.explain import adopted_gazetteer, meant
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import read_settings

if TYPE_CHECKING:
    import asyncpg
    from rich.table import Table

MOST = 200
WIDE = 160
"""An id is copied from here, and a line that is cut says nothing: rather let the terminal wrap it."""


def gaps(
    unit: Annotated[str | None, typer.Argument(help="Only in this unit, by its id, code or name.")] = None,
    awaited: Annotated[Awaited | None, typer.Option(help="Only this answer.")] = None,
    rung: Annotated[
        int | None, typer.Option(min=0, max=9, help="Only what has climbed so far; 0 for what has not.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="How many to show, the longest overdue first.")] = MOST,
) -> None:
    """Show the answers that did not come in time and are awaited still, the longest overdue first."""
    from rich.console import Console

    settings = read_settings()
    names, rows = asyncio.run(_read(find_addresses(settings).app_dsn, unit, awaited, rung, most + 1))
    if not rows:
        typer.echo("No answer is overdue.")
        return
    console = Console(highlight=False, width=max(Console().width, WIDE))
    console.print(_table(rows[:most], names, ZoneInfo(settings.zone)))
    if len(rows) > most:
        typer.echo(f"There are more than {most}: --most, or a unit, an answer or a rung to look at.")


async def _read(
    dsn: str, unit: str | None, awaited: Awaited | None, rung: int | None, most: int
) -> tuple[Mapping[str, str], Sequence[asyncpg.Record]]:
    from projections.referral_board import PROJECTION
    from projections.referral_board.table import SQL
    from services.api.country import ALL, Country
    from services.api.problems import Refused
    from services.api.projections import Projections
    from services.ledger.postgres import PostgresLedger

    ledger = await PostgresLedger.connect(dsn, clock.now)
    try:
        gazetteer = await adopted_gazetteer(ledger)
    finally:
        await ledger.close()
    units = None if unit is None else sorted(Country(gazetteer).within(frozenset({meant(gazetteer, unit)[0]})))
    try:
        projections = await Projections.connect(dsn, [PROJECTION], readers=1)
        try:
            filters = units, awaited and [awaited.value], None if rung is None else [rung]
            rows = await projections.read(ALL, SQL["gaps"], *filters, None, None, None, None, most)
        finally:
            await projections.close()
    except Refused as refused:
        raise LocalProblem(refused.detail) from None
    return {unit_id: one.name for unit_id, one in gazetteer.units.items()}, rows


def _table(rows: Sequence[asyncpg.Record], names: Mapping[str, str], zone: ZoneInfo) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("case", "where", "awaited", "since", "rung", "told", "next"):
        table.add_column(column, no_wrap=True)
    for row in rows:
        again = f" (time {row['step']})" if row["step"] > 1 else ""
        table.add_row(
            row["stream"].removeprefix("case/"),
            names.get(row["unit"], row["unit"]),
            row["awaited"].replace("_", " ") + again,
            _at(row["due"], zone),
            str(row["rung"] or ""),
            _whom(row["tell"], row["rung_due"], "since", zone),
            _whom(row["next_tell"], row["next_due"], "on", zone),
        )
    return table


def _whom(role: str | None, at: datetime | None, word: str, zone: ZoneInfo) -> str:
    return "" if role is None or at is None else f"{role.replace('_', ' ')}, {word} {_at(at, zone)}"


def _at(moment: Any, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%d %b %Y %H:%M}"
