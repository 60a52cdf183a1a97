"""Acts on a reporter's stream. A reporter has one in each home, under ids that the vault alone can match."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from events import reporter as decisions
from events.command import Command
from events.event import Act
from events.reporter import Reporter, ReporterEvent
from events.vocabulary import PlacePrecision
from services.acts.network import Network
from services.acts.newcomer import Introduce, nobody_new
from services.desk import Change, Order, Reading
from services.ledger.ledger import Accepted


async def act(
    network: Network,
    order: Order[Command],
    person: UUID,
    home: str,
    unit: str | None = None,
    introduce: Introduce = nobody_new,
) -> Accepted:
    """Act on the stream that `person` has in `home`, by whichever command the order holds.

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
            case decisions.CheckIn() as command:
                return decisions.check_in(reporter, command, act, person=person)
            case decisions.StandDownReporter() as command:
                return decisions.stand_down(reporter, command, act, person=person)
            case command:
                raise TypeError(f"{type(command).__name__} is no act on a reporter")

    facts = {"person": str(person), "home": home}
    return await network.desk.perform(order, decide, facts=facts, look_first=True)
