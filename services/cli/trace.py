"""`intabaza trace EVENT`: what rested on an event, what it rested on, and what it led to, as a tree."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import read_settings

if TYPE_CHECKING:
    from services.trace.tracing import Trace

WIDE = 10_000
"""Columns of a file or a pipe: as many as any line has."""


def trace(
    event: Annotated[str, typer.Argument(help="An event's id, or its position on the ledger.")],
    most: Annotated[int | None, typer.Option(min=1, help="How many events may be read; 20,000 if not told.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers it.")] = False,
) -> None:
    """Show what rested on an event, or on what it takes back: judgements, referrals, levels, alerts, messages."""
    import orjson

    from services.trace.shown import Shown

    settings = read_settings()
    found = asyncio.run(_traced(find_addresses(settings).app_dsn, event, most, settings.partitions))
    document = Shown(found, lambda _: True).document()
    if as_json:
        typer.echo(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode())
    else:
        show(document)


def show(document: Mapping[str, Any]) -> None:
    """A tree, whose lines are broken where a terminal ends, and nowhere in a file or a pipe."""
    from rich.console import Console

    from services.trace.tree import tree

    Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(tree(document))


async def _traced(dsn: str, event: str, most: int | None, partitions: int) -> Trace:
    import asyncpg

    from services.database.lost import LOST
    from services.ledger.ledger import unavailable
    from services.trace.reading import MOST_EVENTS, Reader, TooMuch
    from services.trace.tracing import Tracing, Untraced, event_named

    if (which := event_named(event)) is None:
        raise LocalProblem(f"{event}: expected an event's id (a UUID) or its position (a number).")
    try:
        connection = await asyncpg.connect(dsn, server_settings={"application_name": "intabaza trace", "jit": "off"})
    except LOST as error:
        raise unavailable(error) from error
    try:
        async with connection.transaction(readonly=True, isolation="repeatable_read"):
            reader = await Reader.begin(connection.fetch, most or MOST_EVENTS)
            return await Tracing(reader, partitions).trace(which)
    except Untraced as untraced:
        if untraced.type is not None:
            raise LocalProblem(
                f"Event {event} is {untraced.type}, and only reports, cases, levels, alerts, registers and records of "
                "custody are traced. Who watches is not, or it would tell who reported what."
            ) from None
        raise LocalProblem(
            f"There is no event {event} that could be traced: copy its position from a timeline."
        ) from None
    except asyncpg.UndefinedTableError:
        raise LocalProblem("Nothing was projected here yet: start the processors, and ask again.") from None
    except TooMuch as much:
        raise LocalProblem(f"{much} Let more be read with --most.") from None
    finally:
        await connection.close()
