"""`intabaza subscriber list | show | add | change | rotate | disable | enable | resend | remove`: webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from events.alert import AlertChange
from events.places.gazetteer import Gazetteer
from events.refusals import BadInput, Problem, Refusal
from events.vocabulary import Mode
from services.cli.acting import person_id_of
from services.local_problem import LocalProblem
from services.settings import Settings, read_settings
from services.subscribers.filters import LONGEST_WAIT_SECONDS, WAIT_SECONDS, Filters, Manner
from services.subscribers.register import Register, Subscriber
from services.wiring import open_desk, open_register, reachable

ANYBODYS = None
TYPED = {"url": "URL", "unit": "--unit", "from_position": "--from"}
SHOWN_DELIVERIES = 10

T = TypeVar("T")

app = typer.Typer(help="Who is told of alerts by webhook.", no_args_is_help=True)

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The subscriber, as the list names it.")]
Url = Annotated[str, typer.Argument(help="Where to send, under https.")]
Unit = Annotated[list[str] | None, typer.Option(help="Only of this unit and all in it; repeat for more.")]
MinimumLevel = Annotated[int | None, typer.Option(help="Only where this level is reached or left.", min=0, max=4)]
Changes = Annotated[list[AlertChange] | None, typer.Option(help="Only such changes; repeat for more.")]
Modes = Annotated[list[Mode] | None, typer.Option(help="Only such modes; actual where none is named.")]

ByProvince = Annotated[bool, typer.Option("--by-province", help="What comes of a province together, in one notice.")]
Wait = Annotated[
    int,
    typer.Option(
        help="For how many seconds a notice waits for more; never for a crisis.", min=0, max=LONGEST_WAIT_SECONDS
    ),
]
Inhibit = Annotated[
    bool, typer.Option("--inhibit", help="No lower alert while a higher one of a unit above it stands.")
]


@app.command("list")
def show_all() -> None:
    """Show every subscriber; the exit status is 1 while one is disabled."""
    found = _with_register(read_settings(), lambda register: register.list(ANYBODYS))
    for one in found:  # no table: an id is copied from here, so it is never cut short
        typer.echo(f"{one.subscriber_id} {one.url}\n  {_stands(one)}")
    if not found:
        typer.echo("Nobody is told by webhook: `intabaza subscriber add URL`, or POST /v1/subscribers.")
    if disabled := sum(one.disabled_since is not None for one in found):
        raise LocalProblem(f"{disabled} disabled. Once mended: `intabaza subscriber enable ID`.")


@app.command()
def show(subscriber_id: Id) -> None:
    """Show how one stands and what was sent to it last."""

    async def read(register: Register) -> tuple[Subscriber, list[Any]]:
        one = await register.find(ANYBODYS, subscriber_id)
        return one, list(await register.deliveries(ANYBODYS, subscriber_id, most=SHOWN_DELIVERIES))

    one, rows = _with_register(read_settings(), read)
    filters = one.filters
    lines = {
        "url": one.url,
        "state": _stands(one),
        "position": f"{one.position}; {_waiting(one.waiting)} after it",
        "units": _words(filters.units),
        "minimum level": "any" if filters.minimum_level is None else filters.minimum_level,
        "changes": _words(filters.changes),
        "modes": _words(filters.modes),
        "notices": _notices(one.manner),
        "held back": f"the last alert of {one.held_back} units" if one.held_back else "nothing",
        "last delivered": _at(one.delivered_at),
        "last try": f"{_at(one.last_at)}{_result(one.last_status, one.last_error)}",
        "sent again": "never" if not one.resends else f"asked for {_times(one.resends)}",
        "old secrets": f"the last one signs until {_at(one.old_secret_ends_at)}" if one.old_secret_ends_at else "none",
        "created": f"{_at(one.created_at)} by {one.created_by or 'an operator'}",
    }
    for name, value in lines.items():
        typer.echo(f"{name:15} {value}")
    for row in rows:
        delivered = "delivered" if row["delivered_at"] else "not delivered"
        typer.echo(
            f"  position {row['position']}: {delivered} after {_tries(row['attempts'])}, {_at(row['last_at'])}"
            f"{_result(row['status'], row['error'])}{', sent again' if row['resends'] else ''}"
        )


@app.command()
def add(
    url: Url,
    unit: Unit = None,
    minimum_level: MinimumLevel = None,
    change: Changes = None,
    mode: Modes = None,
    by_province: ByProvince = False,
    wait: Wait = WAIT_SECONDS,
    inhibit: Inhibit = False,
    from_position: Annotated[
        int | None, typer.Option("--from", help="Alerts from this position on, not from now.", min=1)
    ] = None,
    person: Annotated[str | None, typer.Option(help="Whose it is, who then keeps it through the API.")] = None,
) -> None:
    """Register where to send alerts, and show the secret that signs them: once."""
    settings = read_settings()
    filters = _filters(unit, minimum_level, change, mode)
    owner = person_id_of(person) if person else None

    async def act(register: Register) -> tuple[UUID, str]:
        address = await _checked(settings, url, filters)
        subscriber_id, secret = await register.add(
            owner, address, filters, from_position, _manner(by_province, wait, inhibit)
        )
        return subscriber_id, secret.get_secret_value()

    subscriber_id, secret = _with_register(settings, act)
    typer.echo(f"{subscriber_id}\n{secret}")
    typer.echo("That secret is not shown again: give it to whoever receives.", err=True)


@app.command("change")
def change_it(
    subscriber_id: Id,
    url: Url,
    unit: Unit = None,
    minimum_level: MinimumLevel = None,
    change: Changes = None,
    mode: Modes = None,
    by_province: ByProvince = False,
    wait: Wait = WAIT_SECONDS,
    inhibit: Inhibit = False,
) -> None:
    """Send elsewhere or something else from now on: the whole of it, as it is to be."""
    settings = read_settings()
    filters = _filters(unit, minimum_level, change, mode)

    async def act(register: Register) -> None:
        address = await _checked(settings, url, filters)
        await register.change(ANYBODYS, subscriber_id, address, filters, _manner(by_province, wait, inhibit))

    _with_register(settings, act)
    typer.echo("It is changed, and goes on where it stood.")


@app.command()
def rotate(subscriber_id: Id) -> None:
    """Make a new secret and show it, once; those before it sign too, each until what was said of it."""
    secret, until = _with_register(read_settings(), lambda register: register.rotate(ANYBODYS, subscriber_id))
    typer.echo(secret.get_secret_value())
    typer.echo(f"That secret is not shown again. The one before it signs too until {_at(until)}.", err=True)


@app.command()
def disable(subscriber_id: Id) -> None:
    """Send nothing more to it."""
    _with_register(
        read_settings(), lambda register: register.disable(ANYBODYS, subscriber_id, "an operator disabled it")
    )
    typer.echo("Nothing more is sent to it; what comes meanwhile waits.")


@app.command()
def enable(subscriber_id: Id) -> None:
    """Go on where it stood, at once."""
    _with_register(read_settings(), lambda register: register.enable(ANYBODYS, subscriber_id))
    typer.echo("It goes on where it stood.")


@app.command()
def resend(
    subscriber_id: Id,
    from_position: Annotated[int, typer.Option("--from", help="The first position to send again.", min=1)],
) -> None:
    """Send once more from a position on, under the same ids."""
    _with_register(read_settings(), lambda register: register.resend(ANYBODYS, subscriber_id, from_position))
    typer.echo(f"What its filters take from position {from_position} on is sent again.")


@app.command()
def remove(
    subscriber_id: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: this was decided already.")] = False,
) -> None:
    """Send nothing more to it, and forget it: its URL, its secrets and what was sent to it are gone."""
    settings = read_settings()
    one = _with_register(settings, lambda register: register.find(ANYBODYS, subscriber_id))
    if not yes:
        typer.confirm(f"Forget {one.url} and what was sent to it, for ever? (`disable` only stops sending)", abort=True)
    _with_register(settings, lambda register: register.remove(ANYBODYS, subscriber_id))
    typer.echo("Nothing more is sent to it, and nothing is kept of it.")


def _filters(
    units: list[str] | None, level: int | None, changes: list[AlertChange] | None, modes: list[Mode] | None
) -> Filters:
    return Filters(
        frozenset(units) if units else None,
        level,
        frozenset(one.value for one in changes) if changes else None,
        frozenset(one.value for one in modes or [Mode.ACTUAL]),
    )


def _manner(by_province: bool, wait: int, inhibit: bool) -> Manner:
    return Manner(by_province, wait if by_province else 0, inhibit)


def _notices(manner: Manner) -> str:
    each = f"one a province, after {manner.wait_seconds} seconds" if manner.by_province else "one an alert"
    return f"{each}; lower ones wait while a higher one above them stands" if manner.inhibits else each


async def _checked(settings: Settings, url: str, filters: Filters) -> str:
    """The URL in its one spelling, where units are all known; raises Refusal."""
    address = reachable(settings).read_url(url)
    if filters.units:
        gazetteer = await _gazetteer(settings)
        for one in sorted(filters.units):
            gazetteer.unit(one)
    return address


async def _gazetteer(settings: Settings) -> Gazetteer:
    from services.acts.in_force import InForce

    async with open_desk(settings) as desk:
        in_force = InForce(desk.ledger, desk.persons)
        await in_force.look()
    if in_force.gazetteer is None:
        raise LocalProblem("No gazetteer is adopted yet, so no unit is known: `intabaza begin`.")
    return in_force.gazetteer


def _with_register(settings: Settings, do: Callable[[Register], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with open_register(settings) as register:
            return await do(register)

    try:
        return asyncio.run(run())
    except BadInput as refused:
        raise LocalProblem("\n".join(map(_as_typed, refused.problems))) from None
    except Refusal as refused:
        said = str(refused)
        raise LocalProblem(f"{said[:1].upper()}{said[1:]}.") from None


def _as_typed(problem: Problem) -> str:
    """A fault under the name that stands on the command line."""
    return f"{TYPED.get(problem.field, problem.field)}: expected {problem.expected}; {problem.mend}."


def _stands(one: Subscriber) -> str:
    if one.disabled_since is not None:
        return f"disabled since {_at(one.disabled_since)}: {one.disabled_because}"
    if one.failing_since is not None:
        return (
            f"failing since {_at(one.failing_since)}: {one.last_error}; "
            f"{_tries(one.attempts)}, the next one {'at ' + _at(one.next_at) if one.next_at else 'at once'}"
        )
    return "active"


def _result(status: int | None, error: str | None) -> str:
    if error is not None:
        return f": {error}"
    return f": {status}" if status is not None else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _waiting(count: int) -> str:
    return "1 alert" if count == 1 else f"{count}{' or more' if count == 1_000 else ''} alerts"


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


def _at(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _words(words: frozenset[str] | None) -> str:
    return "all" if words is None else ", ".join(sorted(words))
