"""`intabaza begin | token | committee`: what a network needs before its first report, on the local stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid5

import typer

from events.refusals import Refusal
from events.vocabulary import Role
from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import Area
from services.desk import Desk
from services.local.problems import LocalProblem
from services.settings import Settings, read_settings
from services.wiring import open_desk

DEPLOY = Path(__file__).parents[2] / "deploy"
_NAMES = UUID("5b2f3c52-34a5-4c3e-9f4e-6d1a1a7c8e10")
"""Names the space of ids for people of the local stack who have no phone, such as `admin`."""

T = TypeVar("T")

app = typer.Typer(help="The committee: who may vote.", no_args_is_help=True)

Person = Annotated[str, typer.Option(help="Who: a person's id, or any name you give them on this machine.")]


def begin(
    gazetteer: Annotated[Path, typer.Option(help="A gazetteer's folder.")] = DEPLOY / "gazetteer" / "burundi",
    rules: Annotated[Path, typer.Option(help="A rule set.")] = DEPLOY / "rules" / "burundi.toml",
    division: Annotated[str | None, typer.Option(help="The division in force, where not the newest.")] = None,
    simulated_from: Annotated[
        datetime | None, typer.Option(help="Make the ledger a simulated one, whose clock begins then (UTC).")
    ] = None,
    admin: Person = "admin",
) -> None:
    """Adopt a gazetteer, a rule set and the engines; a second time changes nothing."""
    from projections.rule_set import RuleSetFaulty, read_rule_set
    from services.acts.beginning import begin as adopt
    from services.gazetteer import GazetteerUnreadable, read_gazetteer
    from services.ledger.postgres import simulate
    from services.local.addresses import find_addresses

    settings = read_settings()
    try:
        read = read_gazetteer(gazetteer)
    except GazetteerUnreadable as fault:
        raise LocalProblem(str(fault)) from None
    if division is not None:
        read = read.with_division_in_force(division)
    text = _text(rules)
    try:
        read_rule_set(text)
    except RuleSetFaulty as fault:
        raise LocalProblem(f"{rules}: {fault}") from None
    if simulated_from is not None:
        asyncio.run(simulate(find_addresses(settings).owner_dsn, clock.as_utc(simulated_from)))
    _with_desk(settings, lambda desk: adopt(desk, person_id_of(admin), read, text))
    typer.echo("The network has begun: gazetteer, rules and engines are adopted.")


def token(
    role: Annotated[Role, typer.Option(help="In which role they act.")],
    person: Person,
    area: Annotated[list[str] | None, typer.Option(help="A unit they act in; repeat for more. None: all.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Of a recipient: which one, as it is registered.")] = None,
    hours: Annotated[float, typer.Option(help="How long it lives.", min=0.01, max=12)] = 1.0,
) -> None:
    """Print a bearer token for the local stack."""
    settings = read_settings()
    if settings.token_keys_file is not None:
        raise LocalProblem("INTABAZA_TOKEN_KEYS_FILE is set: who holds those keys issues the tokens.")
    bearer = Bearer(person_id_of(person), role, Area(frozenset(area) if area else None), recipient)
    if (role is Role.RECIPIENT) != (recipient is not None):
        raise LocalProblem("A recipient's token, and no other, names its --recipient.")
    issuer = TokenIssuer.of(settings)
    typer.echo(issuer.issue(bearer, clock.now(), timedelta(hours=hours)))


@app.command("add")
def seat(people: Annotated[list[str], typer.Argument(help="Persons' ids or names of this machine.")]) -> None:
    """Give people a seat in the committee."""
    _seats(people, sits=True)


@app.command("remove")
def unseat(people: Annotated[list[str], typer.Argument(help="Persons' ids or names of this machine.")]) -> None:
    """Take seats back."""
    _seats(people, sits=False)


@app.command("list")
def show() -> None:
    """Show the members by their ids."""
    members = _with_desk(read_settings(), lambda desk: desk.persons.committee())
    for member in sorted(map(str, members)):
        typer.echo(member)
    if not members:
        raise LocalProblem("Nobody has a seat: `intabaza committee add PERSON`.")


def person_id_of(person: str) -> UUID:
    """The id of a person who is named by it, or by a name of this machine."""
    try:
        return UUID(person)
    except ValueError:
        return uuid5(_NAMES, person)


def _seats(people: list[str], *, sits: bool) -> None:
    async def change(desk: Desk) -> int:
        return sum([await desk.persons.seat(person_id_of(one), sits=sits) for one in people])

    changed = _with_desk(read_settings(), change)
    typer.echo(f"{changed} seats {'taken' if sits else 'given back'}.")


def _with_desk(settings: Settings, do: Callable[[Desk], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with open_desk(settings) as desk:
            return await do(desk)

    try:
        return asyncio.run(run())
    except Refusal as refused:
        raise LocalProblem(f"{refused}.") from None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalProblem(f"{file} cannot be read ({type(error).__name__}).") from None
