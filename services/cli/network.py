"""`intabaza begin | token | committee`: what a network needs before its first report, on the local stack."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from events.vocabulary import Role
from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import Area
from services.cli.acting import Person, person_id_of, with_desk
from services.cli.named_files import text_of
from services.desk.desk import Desk
from services.local_problem import LocalProblem
from services.settings import read_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
app = typer.Typer(help="The committee: who may vote.", no_args_is_help=True)


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
    from services.cli.gazetteer import read_under
    from services.gazetteer import read_gazetteer
    from services.ledger.postgres import simulate
    from services.local.addresses import find_addresses

    settings = read_settings()
    read = read_under(lambda: read_gazetteer(gazetteer), division)
    text = text_of(rules)
    try:
        read_rule_set(text)
    except RuleSetFaulty as fault:
        raise LocalProblem(f"{rules}: {fault}") from None
    if simulated_from is not None:
        asyncio.run(simulate(find_addresses(settings).owner_dsn, clock.as_utc(simulated_from)))
    with_desk(settings, lambda desk: adopt(desk, person_id_of(admin), read, text))
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
    members = with_desk(read_settings(), lambda desk: desk.persons.committee())
    for member in sorted(map(str, members)):
        typer.echo(member)
    if not members:
        raise LocalProblem("Nobody has a seat: `intabaza committee add PERSON`.")


def _seats(people: list[str], *, sits: bool) -> None:
    async def change(desk: Desk) -> int:
        return sum([await desk.persons.seat(person_id_of(one), sits=sits) for one in people])

    changed = with_desk(read_settings(), change)
    typer.echo(f"{changed} seats {'taken' if sits else 'given back'}.")
