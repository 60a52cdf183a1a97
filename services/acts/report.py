"""Acts on a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from events.command import Command
from events.envelope import named_id
from events.event import Act
from events.report import decisions
from events.report.events import ReportEvent
from events.report.refusals import NoSuchReport
from events.report.state import Report
from services.acts.network import UNPLACED, Network
from services.acts.newcomer import Introduce, nobody_new
from services.acts.placing import place_of, with_words
from services.desk.change import Change
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Accepted

PLAIN: Mapping[type[Command], Callable[[Report, Any, Act], Sequence[ReportEvent]]] = {
    decisions.Recuse: decisions.recuse,
    decisions.Withdraw: decisions.withdraw,
}
"""Decisions that need nothing from elsewhere."""


async def act(
    network: Network, order: Order[Command], report_id: UUID, speaks_of: frozenset[UUID] = frozenset()
) -> Accepted:
    """Act on one report by whichever command the order holds; `receive` and `supersede` stand apart.

    `speaks_of` are people of whom its texts are known to speak. Who acts does so under the pseudonym they have about
    the report since it was first received, in whichever home.
    """
    stream = f"report/{report_id}"

    async def decide(reading: Reading) -> Sequence[Change]:
        report = await _its_report(network, reading, order, report_id)
        act = await network.desk.act(order, report.first_received_as)
        home = reading.home(stream)
        return [Change(stream, home, await decided(report, act, home), act.by, speaks_of)]

    async def decided(report: Report, act: Act, home: str) -> Sequence[ReportEvent]:
        match order.command:
            case decisions.Grade() as command:
                reviewers = [one for one in (order.person_id, order.on_behalf_of) if one is not None]
                own = [await network.desk.persons.same_person(report_id, one) for one in reviewers]
                return decisions.grade(report, command, act, own=any(own))
            case decisions.Conclude() as command:
                eligible = await network.eligible(report.first_received_as)
                return decisions.conclude(report, command, act, eligible=eligible, required=network.committee.required)
            case decisions.Correct() as command:
                place = network.located(command.unit, command.place_precision) if command.unit else None
                moves_home = place is not None and network.gazetteer.home_of(place.unit) != home
                return decisions.correct(report, command, act, place=place, moves_home=moves_home)
            case command:
                return PLAIN[type(command)](report, command, act)

    facts = {"speaks_of": sorted(map(str, speaks_of))}
    return await network.desk.perform(order, decide, facts=facts, look_first=bool(speaks_of))


async def _its_report(network: Network, reading: Reading, order: Order[Command], report_id: UUID) -> Report:
    """A report that is acted on; one that the sender's rights do not reach is as if there were none."""
    report = await reading.report(report_id)
    if report.content is None or not order.area.covers(network.gazetteer, report.content.place.unit):
        raise NoSuchReport()
    return report


def report_id_of(network: Network, order: Order[Command]) -> UUID:
    """The id of the report that this order makes."""
    return named_id(network.desk.command_id(order), "report")


async def receive(
    network: Network,
    order: Order[decisions.Receive],
    source: UUID | None,
    speaks_of: frozenset[UUID] = frozenset(),
    place_name: SecretStr | None = None,
    introduce: Introduce = nobody_new,
) -> Accepted:
    """Receive a message from the person `source`; the report's id follows from the command's.

    `place_name` is what its place is called by who sent it, looked up where no unit is known. `introduce` makes the
    source known to the vault, where they are new (services/acts/newcomer).
    """
    command, report_id = with_words(order.command, place_name), report_id_of(network, order)
    stream = f"report/{report_id}"

    async def decide(reading: Reading) -> Sequence[Change]:
        place, placed = place_of(network, command, place_name)
        home = network.gazetteer.home_of(place.unit)
        act = network.desk.act_anew(order)
        report = reading.fresh(stream, Report(report_id))
        events = decisions.receive(report, command, act, place=place, placed=placed, person=source)
        return [Change(stream, home, events, act.by, speaks_of)]

    async def settle(changes: Sequence[Change]) -> Sequence[Change]:
        await introduce()
        return [await network.desk.admit(order, report_id, source, change) for change in changes]

    facts = {
        "source": str(source) if source else None,
        "speaks_of": sorted(map(str, speaks_of)),
        "place_name": place_name.get_secret_value() if place_name else None,
    }
    # One's own report is always one's own: nothing else is ever written to the vault under this command's id.
    of_others = bool(speaks_of) or source not in (None, order.person_id)
    return await network.desk.perform(order, decide, facts=facts, look_first=of_others, settle=settle)


async def supersede(network: Network, order: Order[decisions.Supersede], report_id: UUID) -> Accepted:
    """Receive a report again in the home of its better place, its words sealed anew under the new report's keys.

    The new report's texts speak of whom the old one's speak of: erasing one of them erases both.
    Whoever does it has one pseudonym in both streams: the one about the report as it was first received.
    """
    command, again_id = order.command, report_id_of(network, order)

    async def decide(reading: Reading) -> Sequence[Change]:
        stream = f"report/{report_id}"
        place = network.located(command.unit, command.place_precision)
        there = network.gazetteer.home_of(command.unit)
        report = await _its_report(network, reading, order, report_id)
        act = await network.desk.act(order, report.first_received_as)
        again = reading.fresh(f"report/{again_id}", Report(again_id))
        # Before anything is opened: who is erased after this either takes the old key along, so that nothing opens, or
        # is among these, so that the new key is refused.
        speaks_of = await network.desk.persons.spoken_of(report_id)
        words, erased = await network.words_of(reading, stream, report.words)
        here = reading.home(stream)
        old, new = decisions.supersede(
            report,
            again,
            act,
            place=place,
            placed=command.unit != UNPLACED,
            here=here,
            there=there,
            words=words,
            erased=erased,
        )
        if "source" in words:
            await network.desk.persons.record_source(again_id, UUID(words["source"].get_secret_value()))
        return [
            Change(stream, here, old, act.by),
            Change(f"report/{again_id}", there, new, act.by, speaks_of, follows=True),
        ]

    return await network.desk.perform(order, decide, look_first=True)
