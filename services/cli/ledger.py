"""`intabaza ledger restore`: what the ledger lost is taken from Kafka."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.cli.drawing import Drawn
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import Settings, read_settings
from services.vault.master import MasterKey

DOOR_SECONDS = 30.0

app = typer.Typer(help="The ledger.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The ledger."""


@app.command()
def restore(
    simulated: Annotated[
        bool | None,
        typer.Option(
            "--simulated/--real", help="Whether a ledger of which nothing is left had a scenario's clock, or its own."
        ),
    ] = None,
    give_up_from: Annotated[
        int | None, typer.Option(min=1, help="The gap that it was refused for: end the ledger before it.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="A new file for what Kafka has behind the gap, where that is given up.")
    ] = None,
) -> None:
    """Complete an empty or older ledger from Kafka, to the same bytes, positions and times.

    What is there is compared first, and what contradicts Kafka is refused. It may be interrupted at any moment, and
    goes on when it is run again. Appends are refused meanwhile; the relay lets them in once both agree.
    """
    from services.restoring.ledger import GiveUp, restore_ledger, until_the_door_opens  # it brings kafka-python

    if (give_up_from is None) != (into is None):
        raise LocalProblem("`--give-up-from` and `--into` go together: what is given up is written to that file.")
    settings = read_settings()
    addresses = find_addresses(settings)
    with Drawn() as drawn:
        done = asyncio.run(
            restore_ledger(
                addresses.owner_dsn,
                addresses.bootstrap,
                settings.partitions,
                drawn,
                master=_master(settings),
                simulated=simulated,
                give_up=GiveUp(give_up_from, into) if give_up_from is not None and into is not None else None,
            )
        )
    if done.foreign:
        typer.echo(f"{done.foreign} records on Kafka are not ours and were passed over.")
    if done.head == done.before:
        typer.echo(f"Nothing is missing: the ledger goes up to position {done.head} and has all that Kafka has.")
    else:
        typer.echo(f"Restored positions {done.before + 1} to {done.head} from Kafka.")
    if done.destroyed_again:
        typer.echo(f"The vault was older: {done.destroyed_again} of its keys and persons were destroyed again.")
    if done.destroyed_again and done.given_up:
        typer.echo(
            "What was given up may have said so, and then the log does not say it any more: remove `keys.csv` from all "
            "backups, which would bring them back."
        )
    if done.given_up:
        typer.echo(
            f"{done.given_up} records behind it are in {into} and history no more. The topics are made anew: whoever "
            f"read a position above {done.head} has to forget it."
        )
    if done.void:
        typer.echo(
            f"What was read of it stands in the rows of {', '.join(done.void)}: run `intabaza rebuild "
            f"{' '.join(done.void)}` once the topics are made anew, then `intabaza restart processors`."
        )
    because = asyncio.run(until_the_door_opens(addresses.owner_dsn, DOOR_SECONDS))
    if because is not None:
        raise LocalProblem(
            f"The door to appends is still shut: {because}. The relay opens what it shut as soon as it has looked: see "
            "`intabaza relay status`, and `intabaza logs relay` where it does not."
        )


def _master(settings: Settings) -> MasterKey | None:
    """The vault's master key, where it is in its place: it is needed only where something was ever destroyed."""
    from services.wiring import master_key

    return master_key(settings) if settings.vault_master_key or settings.master_key_file.exists() else None
