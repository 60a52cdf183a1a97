"""`intabaza replay | rebuild`: projections folded again from Kafka, to look at, to compare, or to replace live ones."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from projections.projection import Projection
from services.cli.drawing import Drawn
from services.cli.exporting import ExportRefused, exporting, refuse_export, shown
from services.local.addresses import Addresses, find_addresses
from services.local.topics import EVENTS
from services.local_problem import LocalProblem
from services.moments import read_moment
from services.settings import read_settings

if TYPE_CHECKING:
    from services.processors.as_of import Found
    from services.processors.replay import Column, Replayed

MOST_LETTERS = 300
MOST_ROWS = 40
WIDE = 240
"""Columns of a table that goes into a file or a pipe."""

Names = Annotated[list[str] | None, typer.Argument(help="The projections' names; all where none is named.")]
Processes = Annotated[
    int, typer.Option(min=0, help="How many processes fold, each its own partitions; 0 takes one for each core.")
]


def replay(
    projections: Annotated[list[str], typer.Argument(help="The projections' names.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="Only up to this position, or up to what was recorded by this instant (with its offset)."),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Compare with the live rows, one by one.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="With --as-of: write the rows to this .csv, .json or .parquet file.")
    ] = None,
    processes: Processes = 0,
) -> None:
    """Fold projections again from Kafka and sum them up; with --diff the exit status is 1 where a row differs.

    With --as-of their rows are shown as they were at a moment: the answer says up to which position it speaks.
    """
    names = list(dict.fromkeys(projections))
    chosen = [_chosen(name) for name in names]
    if as_of is not None:
        _replay_as_of(chosen, as_of, diff, export, processes or os.cpu_count() or 1)
    elif export is not None:
        raise ExportRefused(f"--export {export}: expected with --as-of, which says what is exported; add it.")
    else:
        for one in chosen:
            _replay(one, diff, processes or os.cpu_count() or 1)


def _replay(chosen: Projection[object, object], diff: bool, processes: int) -> None:
    from services.processors.replay import replay as replay_it  # it brings kafka-python and asyncpg

    addresses = find_addresses(read_settings())
    with Drawn() as drawn:
        result = asyncio.run(
            replay_it(
                addresses.projector_dsn,
                addresses.bootstrap,
                EVENTS,
                chosen,
                processes,
                diff,
                lambda done, of: drawn.advance(f"replaying {chosen.name}", done, of),
            )
        )
    typer.echo(f"{chosen.name}: {result.rows} rows in all its tables, digest {result.digest}")
    if not result.compared:
        return
    if not result.differing:
        typer.echo("The live rows are the same.")
        return
    _show_differing(result)
    raise LocalProblem(
        f"{result.differing} rows differ. `missing` are in the replay and not live, `surplus` the other way round: "
        f"`intabaza rebuild {chosen.name}` replaces the live ones."
    )


def _show_differing(result: Replayed) -> None:
    for sign, rows in (("missing", result.missing), ("surplus", result.surplus)):
        for row in rows:
            typer.echo(f"{sign}: {row if len(row) <= MOST_LETTERS else row[:MOST_LETTERS] + '…'}")


def _replay_as_of(
    chosen: list[Projection[object, object]], text: str, diff: bool, export: Path | None, processes: int
) -> None:
    from services.processors.as_of import find_moment

    named = read_moment(text)
    if export is not None:
        refuse_export(export, len(chosen))
    addresses = find_addresses(read_settings())
    found = find_moment(addresses.bootstrap, EVENTS, named)
    asyncio.run(_show_as_of(addresses, chosen, found, diff, export, processes))


async def _show_as_of(
    addresses: Addresses,
    chosen: list[Projection[object, object]],
    found: Found,
    diff: bool,
    export: Path | None,
    processes: int,
) -> None:
    from services.processors.replay import replay_as_of

    what = f"folding {', '.join(one.name for one in chosen)} as of position {found.moment.position}"
    differing, exported = 0, dict[str, int]()
    with Drawn() as drawn, nullcontext() if export is None else exporting(export, found.moment) as file:
        folding = replay_as_of(
            addresses.projector_dsn, addresses.bootstrap, EVENTS, chosen, processes, found,
            lambda done, of: drawn.advance(what, done, of),
        )  # fmt: skip
        async with folding as past:
            for one in chosen:
                if file is None:
                    async with past.rows(one) as (columns, rows):
                        await _show(one.name, columns, rows)
                else:
                    async with past.rows(one) as (columns, rows):
                        exported[one.name] = await file.add(one.name, columns, rows)
                if diff:
                    result, live = await past.compare(one)
                    _show_differing(result)
                    differing += result.differing
                    typer.echo(
                        f"{one.name}: {result.differing} rows differ from the live ones, which are at position {live}; "
                        "`missing` stood then and not now, `surplus` the other way round."
                        if result.differing
                        else f"{one.name}: the live rows, which are at position {live}, are the same."
                    )
                else:
                    result = await past.sum(one)
                typer.echo(f"{one.name}: {result.rows} rows in all its tables, digest {result.digest}")
    for name, count in exported.items():  # said once the file is there
        typer.echo(f"{name}: {count} rows in {export}")
    typer.echo(f"This is as of {found.moment}.")
    if differing:
        raise LocalProblem(f"{differing} rows differ between position {found.moment.position} and now.")


async def _show(name: str, columns: Sequence[Column], rows: AsyncIterator[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table, more = Table(*(one.name for one in columns), title=name, title_justify="left", box=None, pad_edge=False), 0
    async for row in rows:
        if table.row_count < MOST_ROWS:
            table.add_row(*map(shown, row))
        else:
            more += 1
    Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(table)
    if more:
        typer.echo(f"… and {more} more: --export writes them all.")


def rebuild(projections: Names = None, processes: Processes = 0) -> None:
    """Make projections anew from Kafka beside the live ones, in one reading, then let them take their place."""
    from projections.live import LIVE
    from services.processors.rebuild import rebuild as rebuild_it

    names = list(dict.fromkeys(projections or [one.name for one in LIVE]))
    chosen = [_chosen(name) for name in names]
    settings = read_settings()
    addresses = find_addresses(settings)
    what = " and ".join(names) if len(names) < 3 else f"{len(names)} projections"
    with Drawn() as drawn:
        asyncio.run(
            rebuild_it(
                addresses.projector_dsn,
                addresses.bootstrap,
                EVENTS,
                chosen,
                processes or os.cpu_count() or 1,
                lambda done, of: drawn.advance(f"rebuilding {what}", done, of),
            )
        )
    for name in names:
        typer.echo(f"{name} was made anew and is live.")


def _chosen(name: str) -> Projection[object, object]:
    from projections.live import LIVE

    for one in LIVE:
        if one.name == name:
            return one
    raise LocalProblem(f"There is no projection {name!r}: choose one of {', '.join(one.name for one in LIVE)}.")
