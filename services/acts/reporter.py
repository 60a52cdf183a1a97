"""Acts on a reporter's stream. A reporter has one in each home, under ids that the vault alone can match."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from events import reporter as decisions
from events.command import Command
from events.event import Act
from events.reporter import Reporter, ReporterEvent
from events.vocabulary import PlacePrecision
from services.acts.network import Network
from services.desk import Change, Order, Reading
from services.ledger.ledger import Accepted


async def act(network: Network, order: Order[Command], person: UUID, home: str, unit: str | None = None) -> Accepted:
    """Act on the stream that `person` has in `home`, by whichever command the order holds.

    `unit` is the one of the home that its sender named: it must lie in their area.
    """

    async def decide(reading: Reading) -> Sequence[Change]:
        order.area.refuse_outside(network.gazetteer, unit)
        reporter_id = await network.desk.persons.reporter_id(person, home)
        act = await network.desk.act(order, reporter_id)
        return [Change(f"reporter/{reporter_id}", home, decided(await reading.reporter(reporter_id), act), act.by)]

    def decided(reporter: Reporter, act: Act) -> Sequence[ReporterEvent]:
        match order.command:
            case decisions.Enrol() as command:
                return decisions.enrol(reporter, command, act, person=person)
            case decisions.AssignCoverage() as command:
                units = [network.located(unit, PlacePrecision.UNKNOWN).unit for unit in command.units]
                outside = frozenset(unit for unit in units if network.gazetteer.home_of(unit) != home)
                return decisions.assign_coverage(reporter, command, act, outside=outside)
            case decisions.CheckIn() as command:
                return decisions.check_in(reporter, command, act, person=person)
            case decisions.StandDownReporter() as command:
                return decisions.stand_down(reporter, command, act, person=person)
            case command:
                raise TypeError(f"{type(command).__name__} is no act on a reporter")

    return await network.desk.perform(order, decide, facts={"person": str(person), "home": home})
