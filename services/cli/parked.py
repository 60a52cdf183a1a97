"""`intabaza parked list | resume | waive`: what a projection could not take, and how it goes on."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from events.command import read_command
from events.reference import WaiveEvent, WaiverReason
from events.refusals import Refusal
from events.vocabulary import Role
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import read_settings

WAIT_SECONDS = 30.0

app = typer.Typer(help="Keys that a projection could not fold on.", no_args_is_help=True)

Place = Annotated[str, typer.Argument(help="The projection, as the list names it.")]
Key = Annotated[str, typer.Argument(help="The home or stream that waits, as the list names it.")]


@app.command("list")
def show() -> None:
    """Show what waits, since when and why; the exit status is 1 while anything does."""
    from services.processors.operator import parked_keys

    parked = asyncio.run(parked_keys(find_addresses(read_settings()).projector_dsn))
    if not parked:
        typer.echo("Nothing is parked.")
        return
    for one in parked:  # no table: a key is copied from here, so it is never cut short
        typer.echo(f"{one.place} {one.key}")
        typer.echo(f"  partition {one.partition}, since {one.parked_at:%Y-%m-%d %H:%M} UTC; {one.why}")
    raise LocalProblem(
        f"{len(parked)} wait. With a program that can take it: `intabaza parked resume PROJECTION KEY`. "
        "Where none ever should: `intabaza parked waive PROJECTION KEY POSITION`."
    )


@app.command()
def resume(place: Place, key: Key) -> None:
    """Let a key take everything that waited behind it, in order; nothing changes where it still cannot."""
    from services.processors.operator import ask_to_resume

    try:
        stands = asyncio.run(ask_to_resume(find_addresses(read_settings()).projector_dsn, place, key, WAIT_SECONDS))
    except LookupError:
        raise LocalProblem(f"{key} is not parked in {place}: see `intabaza parked list`.") from None
    if stands is None:
        typer.echo(f"{key} goes on.")
    elif stands.asked:
        raise LocalProblem("No processor has tried yet; it will as soon as one runs: see `intabaza status`.")
    else:
        raise LocalProblem(f"{key} still cannot take {stands.why}. What waits is kept.")


@app.command()
def waive(
    place: Place,
    key: Key,
    position: Annotated[int, typer.Argument(help="The position that it cannot take, from the list.", min=1)],
    why: Annotated[WaiverReason, typer.Option(help="Why the event has no part in what is shown.")],
    phone: Annotated[
        str,
        typer.Option(
            prompt="Your telephone number, by which the network knows you",
            hide_input=True,
            help="Asked for, not shown.",
        ),
    ],
) -> None:
    """Let a key pass over one event, for ever and in every replay: an event says so, and who decided it.

    The event itself stays in the log as it is.
    """
    _refuse_unless_it_waits(place, key, position)
    asyncio.run(_waive(place, key, position, why, phone))
    typer.echo(
        f"{place} passes over position {position} for {key}. What waited goes on as soon as a processor reads it."
    )


def _refuse_unless_it_waits(place: str, key: str, position: int) -> None:
    """What was folded already, or could be, would be missing in every replay, for ever."""
    from services.processors.operator import parked_keys

    parked = asyncio.run(parked_keys(find_addresses(read_settings()).projector_dsn))
    if not any(one.place == place and one.key == key and one.cannot_take(position) for one in parked):
        raise LocalProblem(
            f"Nothing was recorded: position {position} is not what {key} cannot take in {place}; see `intabaza parked "
            "list`."
        )


async def _waive(place: str, key: str, position: int, why: WaiverReason, phone: str) -> None:
    from services.acts.reference import act_at
    from services.desk.order import Order
    from services.wiring import open_desk

    fields = {"projection": place, "key": key, "position": position, "why": why.value}
    try:
        command = read_command(WaiveEvent, fields)
        async with open_desk(read_settings()) as desk:
            person = await desk.persons.find_person(phone)
            if person is None:
                raise LocalProblem("Nothing was recorded: the network knows nobody under this number.")
            await act_at(desk, Order(person, Role.ADMIN, f"waive {place} {key} {position}", command, "waivers"))
    except Refusal as refusal:
        raise LocalProblem(f"Nothing was recorded: {refusal}") from refusal
