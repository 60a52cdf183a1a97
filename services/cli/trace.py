"""`intabaza trace EVENT`: what rested on an event, what it rested on, and what it led to, as a tree."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from services.local.addresses import find_addresses
from services.local.problems import LocalProblem
from services.settings import read_settings

if TYPE_CHECKING:
    from services.trace.tracing import Trace


def trace(
    event: Annotated[str, typer.Argument(help="An event's id, or its position on the ledger.")],
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers it.")] = False,
) -> None:
    """Show what rested on an event, or on what it takes back: judgements, referrals, levels, alerts, messages."""
    import orjson
    from rich.console import Console

    from services.trace.shown import Shown
    from services.trace.tree import tree

    document = Shown(asyncio.run(_traced(find_addresses(read_settings()).app_dsn, event)), lambda _: True).document()
    if as_json:
        typer.echo(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode())
    else:
        Console(soft_wrap=True, highlight=False).print(tree(document))


async def _traced(dsn: str, event: str) -> Trace:
    import asyncpg

    from services.ledger.batcher import LOST, unavailable
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
            return await Tracing(await Reader.begin(connection.fetch)).trace(which)
    except Untraced:
        raise LocalProblem(
            f"There is no event {event} that could be traced: copy its position from a timeline."
        ) from None
    except TooMuch:
        raise LocalProblem(
            f"More than {MOST_EVENTS:,} events would have to be read: trace an event of one case instead."
        ) from None
    finally:
        await connection.close()
