"""`intabaza replay | rebuild`: a projection folded again from Kafka, to compare with the live one or to replace it."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from projections.projection import Projection
from services.cli.drawing import Drawn
from services.local.addresses import find_addresses
from services.local.problems import LocalProblem
from services.local.topics import EVENTS
from services.settings import read_settings

MOST_LETTERS = 300

Name = Annotated[str, typer.Argument(help="The projection's name.")]
Names = Annotated[list[str] | None, typer.Argument(help="The projections' names; all where none is named.")]
Processes = Annotated[
    int, typer.Option(help="How many processes fold, each its own partitions; 0 takes one for each core.")
]


def replay(
    projection: Name,
    diff: Annotated[bool, typer.Option("--diff", help="Compare with the live rows, one by one.")] = False,
    processes: Processes = 0,
) -> None:
    """Fold a projection again from Kafka and sum it up; with --diff the exit status is 1 where a row differs."""
    from services.processors.replay import replay as replay_it  # it brings kafka-python and asyncpg

    chosen = _chosen(projection)
    settings = read_settings()
    addresses = find_addresses(settings)
    with Drawn() as drawn:
        result = asyncio.run(
            replay_it(
                addresses.projector_dsn,
                addresses.bootstrap,
                EVENTS,
                chosen,
                processes or os.cpu_count() or 1,
                diff,
                lambda done, of: drawn.advance(f"replaying {projection}", done, of),
            )
        )
    typer.echo(f"{projection}: {result.rows} rows, digest {result.digest}")
    if not result.compared:
        return
    if not result.differing:
        typer.echo("The live rows are the same.")
        return
    for sign, rows in (("missing", result.missing), ("surplus", result.surplus)):
        for row in rows:
            typer.echo(f"{sign}: {row if len(row) <= MOST_LETTERS else row[:MOST_LETTERS] + '…'}")
    raise LocalProblem(
        f"{result.differing} rows differ. `missing` are in the replay and not live, `surplus` the other way round: "
        f"`intabaza rebuild {projection}` replaces the live ones."
    )


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
