"""What reviewers and officers decide of alerts: another level is told for a while, subscribers are left in peace.

Both are short, so that within one session many end by themselves and others by somebody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.faults.cast import Person
from tests.faults.known import Silence
from tests.faults.places import COUNTRY, PROVINCES, UNITS

if TYPE_CHECKING:
    from tests.faults.generator import Generator

SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 30.0


def _soon(load: Generator) -> str:
    return (load.world.now() + timedelta(seconds=load.dice.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))).isoformat()


async def silence(load: Generator, person: Person) -> None:
    """Of a commune, a province or the country; some of all that it may, others of certain changes or kinds."""
    dice = load.dice
    unit = dice.choice((dice.choice(UNITS[:3]), dice.choice(UNITS), dice.choice(PROVINCES), COUNTRY))
    answer = await load.example(
        person,
        "alert.silence",
        "/v1/alerts/silence",
        unit=unit,
        up_to_level=dice.choice((1, 2, 3, 3, 3)),
        changes=dice.choice((None, None, ["raised"], ["lowered"], ["lowered", "raised"])),
        kinds=dice.choice((None, None, None, ["violence_and_weapons"], ["tension_and_rumour", "displacement"])),
        until=_soon(load),
    )
    if answer.accepted:
        load.known.silences.append(Silence(answer.told["silence_id"], unit))


async def end_silence(load: Generator, person: Person) -> None:
    if load.known.silences:
        one = load.known.silences.pop(load.dice.randrange(len(load.known.silences)))
        await end_this_silence(load, person, one)


async def end_this_silence(load: Generator, person: Person, one: Silence) -> None:
    path = "/v1/alerts/end-silence"
    await load.example(person, "alert.end-silence", path, unit=one.unit, silence_id=one.silence_id)


async def override(load: Generator, person: Person) -> None:
    """Of a province as often as of a commune: what is told of one keeps back from some what is told of its communes."""
    unit = load.dice.choice((load.dice.choice(UNITS[:3]), load.dice.choice(PROVINCES)))
    level = load.dice.choice((0, 2, 3, 3, 4))
    answer = await load.example(
        person, "alert.override", "/v1/alerts/override", unit=unit, level=level, until=_soon(load)
    )
    if answer.accepted:
        load.known.overridden.add(unit)


async def end_override(load: Generator, person: Person) -> None:
    if load.known.overridden:
        await end_this_override(load, person, load.dice.choice(sorted(load.known.overridden)))


async def end_this_override(load: Generator, person: Person, unit: str) -> None:
    load.known.overridden.discard(unit)
    await load.example(person, "alert.end-override", "/v1/alerts/end-override", unit=unit)
