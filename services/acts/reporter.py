"""Acts on a reporter's stream. A reporter has one in each home, under ids that the vault alone can match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

from events import reporter as decisions
from events.command import Command
from events.event import Act
from events.refusals import Refusal
from events.reporter import Reporter, ReporterCheckedIn, ReporterEvent
from events.vocabulary import PlacePrecision
from services.acts.network import Network
from services.acts.newcomer import Introduce, nobody_new
from services.desk.change import Change
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Accepted
from services.signs import Held


async def act(
    network: Network,
    order: Order[Command],
    person: UUID,
    home: str,
    unit: str | None = None,
    introduce: Introduce = nobody_new,
) -> Accepted:
    """Act on the stream that `person` has in `home`, by whichever command the order holds but a check-in.

    `unit` is the one of the home that its sender named: it must lie in their area. `introduce` makes the person known
    to the vault, where they are new (services/acts/newcomer). Who is refused leaves nothing there.
    """

    async def decide(reading: Reading) -> Sequence[Change]:
        order.area.refuse_outside(network.gazetteer, unit)
        if (reporter_id := await network.desk.persons.find_reporter_id(person, home)) is None:
            reading.refuse_if_moved(order.read_at, [change_of(Reporter(uuid4()), network.desk.act_anew(order))])
            await introduce()
            reporter_id = await network.desk.persons.reporter_id(person, home)
        act = await network.desk.act(order, reporter_id)
        return [change_of(await reading.reporter(reporter_id), act)]

    def change_of(reporter: Reporter, act: Act) -> Change:
        return Change(f"reporter/{reporter.reporter_id}", home, decided(reporter, act), act.by)

    def decided(reporter: Reporter, act: Act) -> Sequence[ReporterEvent]:
        match order.command:
            case decisions.Enrol() as command:
                return decisions.enrol(reporter, command, act, person=person)
            case decisions.AssignCoverage() as command:
                units = [network.located(unit, PlacePrecision.UNKNOWN).unit for unit in command.units]
                outside = frozenset(unit for unit in units if network.gazetteer.home_of(unit) != home)
                return decisions.assign_coverage(reporter, command, act, outside=outside)
            case decisions.StandDownReporter() as command:
                return decisions.stand_down(reporter, command, act, person=person)
            case command:
                raise TypeError(f"{type(command).__name__} is no act on a reporter")

    facts = {"person": str(person), "home": home}
    return await network.desk.perform(order, decide, facts=facts, look_first=True)


async def check_in(
    network: Network, order: Order[decisions.CheckIn], person: UUID, home: str, unit: str | None = None
) -> Held:
    """A sign of life of `person`, who is enrolled in `home`; it is one in every home where they are.

    It is held until the day is over. Its sender is not told of other homes, and of `unit` as in `act`.
    """
    desk, command = network.desk, order.command

    async def decide(reading: Reading) -> Mapping[UUID, ReporterCheckedIn]:
        order.area.refuse_outside(network.gazetteer, unit)
        streams, by_anybody = await desk.persons.reporter_streams(person), desk.act_anew(order)
        here = await reading.reporter(streams[home]) if home in streams else Reporter(uuid4())
        decided = decisions.check_in(here, command, by_anybody, person=person)
        reading.refuse_if_moved(order.read_at, [Change(f"reporter/{here.reporter_id}", home, decided, by_anybody.by)])
        reading.refuse_another_mode(order.mode)
        given: dict[UUID, ReporterCheckedIn] = {}
        for reporter_id in streams.values():
            reporter = here if reporter_id == here.reporter_id else await reading.reporter(reporter_id)
            if reading.modes.get(f"reporter/{reporter_id}") != order.mode:
                continue
            with suppress(Refusal):  # in another home they stood down, or gave it already
                decisions.check_in(reporter, command, by_anybody, person=person)
                # Of the moment at which it was taken here: midnight may be in between, and a month be over.
                by = replace(by_anybody, by=(await desk.act(order, reporter_id)).by)
                given[reporter_id] = decisions.check_in(reporter, command, by, person=person)[0]
        return given

    return await desk.hold(order, person, decide, facts={"person": str(person), "home": home})
