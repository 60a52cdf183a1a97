"""`intabaza person approve-erasure | erase`: somebody is erased for ever, by a custodian and with two who agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar
from uuid import uuid4

import typer

from events.refusals import Refusal
from services import clock
from services.cli.acting import person_id_of
from services.erasing import Doomed, Erased, Erasures
from services.local_problem import LocalProblem
from services.settings import read_settings
from services.vault.refused import VaultError
from services.wiring import open_erasures

T = TypeVar("T")

app = typer.Typer(help="People whom the vault knows.", no_args_is_help=True)

Who = Annotated[
    str | None,
    typer.Argument(metavar="[PERSON]", help="Their id, or their name on this machine. Left out, their phone is asked."),
]
Custodian = Annotated[str, typer.Option(help="The custodian who erases them: an id, or a name of this machine.")]


@app.command("approve-erasure")
def approve_erasure(
    custodian: Custodian,
    approver: Annotated[str, typer.Option(help="Who agrees: an id, or a name of this machine.")],
    who: Who = None,
) -> None:
    """Print an approval of this erasure by this custodian, good once and for a quarter of an hour."""
    eraser, agrees = person_id_of(custodian), person_id_of(approver)

    async def approve(erasures: Erasures, doomed: Doomed) -> str:
        return await erasures.approve(doomed, eraser, agrees, clock.now())

    typer.echo(_about(who, approve))


@app.command()
def erase(
    custodian: Custodian,
    approval: Annotated[list[str], typer.Option(help="An approval as it was given; two are needed.")],
    who: Who = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: this was decided already.")] = False,
) -> None:
    """Erase somebody: their keys, the texts that speak of them, their phone, every link to them. For ever."""
    if not yes:
        typer.confirm("Nothing of them can be opened again, here or from a backup. Erase them?", abort=True)

    async def do(erasures: Erasures, doomed: Doomed) -> Erased:
        return await erasures.erase(doomed, person_id_of(custodian), str(uuid4()), approval, clock.now())

    erased = _about(who, do)
    if erased.placed is None:
        typer.echo("They were erased before: nothing was to be done.")
    else:
        typer.echo(f"They are erased, which the log says at position {erased.placed.position}.")


def _about(who: str | None, do: Callable[[Erasures, Doomed], Coroutine[Any, Any, T]]) -> T:
    """Do it about whoever is meant; a phone is typed where neither a list of processes nor a history has it."""
    phone = typer.prompt("Phone", hide_input=True, err=True) if who is None else None
    settings = read_settings()

    async def run() -> T:
        async with open_erasures(settings) as erasures:
            return await do(erasures, await erasures.who(None if who is None else person_id_of(who), phone))

    try:
        return asyncio.run(run())
    except (Refusal, VaultError) as refused:
        said = str(refused)
        raise LocalProblem(f"{said[:1].upper()}{said[1:]}.") from None
