"""`intabaza log-keys list | add | former | retire` and `intabaza notary status`: the log's signed checkpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import Settings, read_settings

if TYPE_CHECKING:
    from services.notary.operator import Cosigner
    from services.tlog.notes import Verifier

app = typer.Typer(help="The keys that sign the log.", no_args_is_help=True)
notary = typer.Typer(help="Who signs the log.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="A key as `intabaza log-keys list` shows it: name+number+base64.")]


@app.command("list")
def show() -> None:
    """Print the keys that verify the log, the oldest first, one a line: hand them to auditors and witnesses."""
    from services.notary.operator import own_keys

    settings = read_settings()
    for one in asyncio.run(own_keys(settings, find_addresses(settings).app_dsn)):
        typer.echo(str(one))


@app.command()
def add() -> None:
    """Make a new key: the next checkpoint is signed by both, and every later one by the new key alone.

    Hand the new key to whoever has the old one, and retire that when `intabaza notary status` shows a checkpoint of
    the new one.
    """
    from services.notary.keys import LogKeys

    settings = _ours()
    with LogKeys.held(settings.log_keys) as held:
        keys = held.add()
        keys.write()
    typer.echo(f"{keys.verifiers(_origin(settings))[-1]}")


@app.command()
def former(keys: Annotated[list[str], typer.Argument(help="Public keys of this log, the oldest first.")]) -> None:
    """Say by which keys older checkpoints are verified, where the file that held those is lost."""
    from services.notary.keys import LogKeys

    settings = _ours()
    origin = _origin(settings)
    known = [_parsed(one, origin) for one in keys]
    with LogKeys.held(settings.log_keys) as held:
        held.with_former(known).write()
    typer.echo("Known now, and nothing is signed by them: `intabaza restart notary`.")


@app.command()
def retire(key: Key) -> None:
    """Forget the private half of an older key; what it signed is verified by its public half for ever."""
    from services.notary.keys import LogKeys
    from services.notary.operator import standing

    settings = _ours()
    origin = _origin(settings)
    with LogKeys.held(settings.log_keys) as keys:
        retired = keys.retire(_parsed(key, origin))
        last = asyncio.run(standing(find_addresses(settings).app_dsn)).checkpoint
        if last is not None and len(keys.signers(origin, last.note)) > 1:
            raise LocalProblem("The newer key has signed nothing yet: retire this one after the next checkpoint.")
        retired.write()
    typer.echo("Retired: it signs nothing more.")


@notary.command()
def status() -> None:
    """Show how much of the log is signed, and how far each witness has cosigned it.

    The exit status is 1 when the notary halts.
    """
    from services.notary.operator import cosigners, standing

    dsn = find_addresses(read_settings()).app_dsn
    now, witnesses = asyncio.run(standing(dsn)), asyncio.run(cosigners(dsn))
    table = Table("what", "", box=None, show_header=False)
    table.add_row("on Kafka", f"up to position {now.acknowledged}")
    table.add_row("in the tree", f"up to position {now.tree}")
    signed = (
        f"up to position {now.checkpoint.size}, {now.signed_at:%Y-%m-%d %H:%M:%S} UTC" if now.checkpoint else "none"
    )
    table.add_row("signed", signed)
    Console(soft_wrap=True).print(table)
    if now.checkpoint is not None:
        cosigned = "".join(one.line for one in witnesses if one.size == now.checkpoint.size)
        typer.echo(f"\n{now.checkpoint.note}{cosigned}", nl=False)
    if witnesses:
        typer.echo()
        Console(soft_wrap=True).print(_how_far(witnesses))
    if now.halted_because is not None:
        raise LocalProblem(f"The notary halts: {now.halted_because}.")


def _how_far(witnesses: Sequence[Cosigner]) -> Table:
    """How far each witness has cosigned, and what it said last where that was no cosignature."""
    table = Table("witness", "cosigned", "says", box=None)
    for one in witnesses:
        at = f", {one.cosigned_at:%Y-%m-%d %H:%M:%S} UTC" if one.cosigned_at else ""
        cosigned = f"up to position {one.size}{at}" if one.size else "nothing"
        says = "-" if one.asked else "it is asked no more"
        if one.asked and one.refused_because is not None:
            says = f"since {one.refused_since:%Y-%m-%d %H:%M:%S} UTC: {one.refused_because}"
        table.add_row(Text(one.key.name), cosigned, Text(says))
    return table


def _origin(settings: Settings) -> str:
    from services.notary.operator import origin_of

    return asyncio.run(origin_of(settings, find_addresses(settings).app_dsn))


def _parsed(key: str, origin: str) -> Verifier:
    from services.tlog.notes import NoteRefused, Verifier

    try:
        found = Verifier.parse(key)
    except NoteRefused as refused:
        raise LocalProblem(f"{key}: {refused}.") from None
    if found.name != origin:
        raise LocalProblem(f"{key} is a key of {found.name}, and this log is {origin}.")
    return found


def _ours() -> Settings:
    settings = read_settings()
    if settings.log_keys_file is not None and not settings.log_keys_file.exists():
        raise LocalProblem(f"There is no {settings.log_keys_file}, which INTABAZA_LOG_KEYS_FILE names: put it there.")
    return settings
