"""`intabaza gazetteer check | adopt`: a gazetteer's folder is read, held against the one in force, and follows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from services.cli.acting import Person, person_id_of, with_desk
from services.local_problem import LocalProblem
from services.settings import read_settings

if TYPE_CHECKING:
    from events.places.gazetteer import Gazetteer
    from services.desk.desk import Desk

app = typer.Typer(help="Gazetteers: the country's units, under each division.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="A gazetteer, such as deploy/gazetteer/burundi.")]


class GazetteerRefused(LocalProblem):
    """A gazetteer has faults, or cannot follow the one in force."""

    status = 7


@app.command()
def check(folder: Folder) -> None:
    """Read a gazetteer by itself, and say which lines are wrong, what was expected and what to do."""
    from services.gazetteer import read_gazetteer

    gazetteer = read_under(lambda: read_gazetteer(folder), None)
    typer.echo(f"{folder} is a gazetteer: {_told(gazetteer)}.")


@app.command()
def adopt(
    folder: Folder,
    division: Annotated[
        str | None, typer.Option(help="The division to put in force, if not the one that the gazetteer says.")
    ] = None,
    admin: Person = "admin",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let a gazetteer follow the one in force: it keeps every unit and its home, and all places are found by it."""
    from events.command import read_command
    from events.reference import AdoptGazetteer
    from events.vocabulary import Role
    from services.acts.reference import act_at
    from services.cli.explain import adopted_gazetteer
    from services.desk.order import Order
    from services.gazetteer import read_following

    async def do(desk: Desk) -> int | None:
        in_force = await adopted_gazetteer(desk.ledger)
        following = read_under(lambda: read_following(folder, in_force), division)
        if following.content_hash == in_force.content_hash:
            return None
        if not yes:
            typer.confirm(
                f"{_told(following)} takes the place of {_told(in_force)}, for everybody. Adopt it?", abort=True
            )
        fields: dict[str, object] = {
            "gazetteer": following.facts.gazetteer_id,
            "content": following.content(),
            "content_hash": following.content_hash,
        }
        command = read_command(AdoptGazetteer, fields)
        order = Order(person_id_of(admin), Role.ADMIN, f"adopt gazetteer {uuid4()}", command, "reference")
        return (await act_at(desk, order)).placed[-1].position

    position = with_desk(read_settings(), do)
    if position is None:
        typer.echo(f"{folder} is in force already: nothing was changed.")
    else:
        typer.echo(f"{folder} is in force from position {position} on.")


def read_under(read: Callable[[], Gazetteer], division: str | None) -> Gazetteer:
    """What is read, under the division that it says or this one; raises GazetteerRefused."""
    from events.places.faults import NoSuchDivision
    from services.gazetteer import GazetteerUnreadable

    try:
        gazetteer = read()
        return gazetteer if division is None else gazetteer.with_division_in_force(division)
    except GazetteerUnreadable as fault:
        raise GazetteerRefused(str(fault)) from None
    except NoSuchDivision as fault:
        raise GazetteerRefused(f"{fault}.") from None


def _told(gazetteer: Gazetteer) -> str:
    facts = gazetteer.facts
    return (
        f"{facts.name}, edition {facts.edition}, with the division {gazetteer.division} in force "
        f"({len(facts.units)} units, hash {gazetteer.content_hash[:12]}…)"
    )
