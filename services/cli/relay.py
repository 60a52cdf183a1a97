"""`intabaza relay status | republish`: how the ledger's events get to Kafka, and the mend for a log that forked."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.drawing import Drawn
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import read_settings

app = typer.Typer(help="The relay from the ledger to Kafka.", no_args_is_help=True)


class Topic(StrEnum):
    EVENTS = "events.v1"
    ALERTS = "alerts.v1"


@app.command()
def status() -> None:
    """Show how far the ledger is on Kafka; the exit status is 1 when the relay halts or nobody leads."""
    from services.relay.operator import standing  # it brings kafka-python, which the other commands need not

    now = asyncio.run(standing(find_addresses(read_settings()).app_dsn))
    table = Table("what", "", box=None, show_header=False)
    table.add_row("leader", now.leader or "nobody")
    table.add_row("ledger", f"up to position {now.head}")
    table.add_row("on Kafka", f"up to position {now.acknowledged}")
    table.add_row("lag", f"{now.head - now.acknowledged} events, {max(now.lag_seconds, 0):.1f} s")
    table.add_row("door to appends", f"shut: {now.door_shut_because}" if now.door_shut_because else "open")
    table.add_row("foreign records", str(now.foreign_records))
    Console(soft_wrap=True).print(table)
    if now.halted_because is not None:
        raise LocalProblem(f"The relay halts: {now.halted_because}.")
    if now.leader is None:
        raise LocalProblem("No relay leads: see `intabaza status` and `intabaza logs relay`.")


@app.command()
def republish(
    topics: Annotated[
        list[Topic] | None, typer.Option("--topic", help="Only this topic; both where none is named.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: this was decided already.")] = False,
) -> None:
    """Delete the topics, make them anew and send the whole ledger again: the mend for a partition that has forked.

    Nothing of ours is lost, the ledger holds it all. Readers begin anew and drop what they have. It may be interrupted
    at any moment: the relay goes on by itself.
    """
    from services.relay.operator import ask_to_republish, watch_it_being_sent

    settings = read_settings()
    addresses = find_addresses(settings)
    names = [topic.value for topic in topics or list(Topic)]
    if not yes:
        typer.confirm(f"Delete {' and '.join(names)} and send everything again?", abort=True)
    before = asyncio.run(ask_to_republish(addresses.app_dsn, addresses.bootstrap, settings.partitions, names))
    if before.leader is None:
        typer.echo("No relay runs now: it will begin with this as soon as one does (`intabaza up`).")
        return
    with Drawn() as drawn:
        sent = asyncio.run(watch_it_being_sent(addresses.app_dsn, drawn))
    typer.echo(f"Everything up to position {sent} is on Kafka again.")
