"""Acts on a case: one door, `act`, and beside it what each decision must know from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from events.case import ending, judging, linking, opening, protection, referral
from events.case.events import CaseEvent
from events.case.linking import Evidence
from events.case.refusals import NoSuchCase, NoSuchReferral
from events.case.state import Case
from events.command import Command
from events.event import Act
from events.vocabulary import OutcomeFound, Role
from projections.referral_board.waiting import asked_since
from projections.taken import take
from services.acts.network import Network
from services.acts.newcomer import Introduce, nobody_new
from services.desk.change import Change
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Accepted

Decision = Callable[[Network, Reading, Case, Any, Act], Awaitable[Sequence[CaseEvent]]]

PLAIN: Mapping[type[Command], Callable[[Case, Any, Act], Sequence[CaseEvent]]] = {
    linking.UnlinkReport: linking.unlink_report,
    linking.Unrelate: linking.unrelate,
    judging.Decide: judging.decide,
    judging.RecordAction: judging.record_action,
    protection.WithdrawConsent: protection.withdraw_consent,
    referral.Acknowledge: referral.acknowledge,
    referral.Accept: referral.accept,
    referral.Decline: referral.decline,
    referral.Complete: referral.complete,
    referral.Revoke: referral.revoke,
    referral.FailDelivery: referral.fail_delivery,
    referral.MoveDeadline: referral.move_deadline,
    ending.Resolve: ending.resolve,
}
"""Decisions that need nothing from elsewhere."""

VOTED: Mapping[type[Command], Callable[..., Sequence[CaseEvent]]] = {
    opening.Ratify: opening.ratify,
    opening.NotRatify: opening.not_ratify,
    judging.Assess: judging.assess,
}
"""Decisions of the committee: they need to know who may vote and how many must agree."""


async def act(network: Network, order: Order[Command], case_id: UUID) -> Accepted:
    """Act on one case by whichever command the order holds.

    `open_case`, `merge`, `reverse_merge` and `record_consent` stand apart.
    """
    stream = f"case/{case_id}"

    async def decide(reading: Reading) -> Sequence[Change]:
        case = await _its_case(network, reading, order, case_id)
        act = await network.desk.act(order, case_id)
        events = await _decided(network, reading, case, order.command, act)
        return [Change(stream, reading.home(stream), events, act.by), *await _elsewhere(network, reading, case, order)]

    return await network.desk.perform(order, decide)


async def _its_case(network: Network, reading: Reading, order: Order[Command], case_id: UUID) -> Case:
    """A case that is acted on, and not merely cited. One that the sender's rights do not reach is as if there were
    none: who knows an id from elsewhere learns nothing by trying it.

    A recipient answers what was referred to it; any other referral is for it as if there were none.
    """
    case = await reading.case(case_id)
    if order.recipient is not None:
        asked = getattr(order.command, "referral_id", None)
        if (
            not isinstance(asked, UUID)
            or asked not in case.referrals
            or case.referrals[asked].recipient != order.recipient
        ):
            raise NoSuchReferral()
    elif case.place is None or not order.area.covers(network.gazetteer, case.place.unit):
        raise NoSuchCase()
    return case


async def _decided(network: Network, reading: Reading, case: Case, command: Command, act: Act) -> Sequence[CaseEvent]:
    kind = type(command)
    if kind in PLAIN:
        return PLAIN[kind](case, command, act)
    if kind in VOTED:
        eligible = await network.eligible(case.case_id)
        return VOTED[kind](case, command, act, eligible=eligible, required=network.committee.required)
    return await INFORMED[kind](network, reading, case, command, act)


async def _elsewhere(network: Network, reading: Reading, case: Case, order: Order[Command]) -> Sequence[Change]:
    """What an act on a case that was merged away changes in the one that stands for it.

    An outcome that is contradicted opens that one too, since nobody sees an open referral in a closed case.
    """
    match order.command:
        case referral.CheckOutcome(outcome=OutcomeFound.CONTRADICTED) if case.merged_into is not None:
            into = case
            while into.merged_into is not None:
                into = await reading.case(into.merged_into)
            act = await network.desk.act(order, into.case_id)
            stream = f"case/{into.case_id}"
            events = referral.reopened_by_it(into)
            return [Change(stream, reading.home(stream), events, act.by)] if events else []
        case _:
            return []


def case_id_of(network: Network, order: Order[opening.OpenCase]) -> UUID:
    """The id of the case that this order opens."""
    return Reading(network.desk.ledger, network.desk.command_id(order)).new_id("case")


async def open_case(network: Network, order: Order[opening.OpenCase]) -> Accepted:
    """Open a case; its id follows from the command's."""
    command, case_id = order.command, case_id_of(network, order)

    async def decide(reading: Reading) -> Sequence[Change]:
        place = network.located(command.unit, command.place_precision)
        home = network.gazetteer.home_of(command.unit)
        order.area.refuse_outside(network.gazetteer, command.unit)
        act = await network.desk.act(order, case_id)
        case = reading.fresh(f"case/{case_id}", Case(case_id))
        evidence = [await _evidence(reading, one) for one in command.reports]
        ratify_within = network.committee.ratify_within
        events = opening.open_case(
            case, command, act, place=place, evidence=evidence, home=home, ratify_within=ratify_within
        )
        return [Change(f"case/{case_id}", home, events, act.by)]

    return await network.desk.perform(order, decide)


async def merge(network: Network, order: Order[linking.Merge], case_id: UUID) -> Accepted:
    """Absorb a case into another of its home: one event in each stream, each under the pseudonym known there."""

    async def decide(reading: Reading) -> Sequence[Change]:
        case = await _its_case(network, reading, order, case_id)
        into = await _its_case(network, reading, order, order.command.into)
        act, there_as = await network.desk.act(order, case_id), await network.desk.act(order, order.command.into)
        here, there = reading.home(f"case/{case_id}"), reading.home(f"case/{into.case_id}")
        since = await _asked_since(reading, case_id)
        absorbed, absorbing = linking.merge(
            case, order.command, act, into=into, home=here, there=there, asked_since=since
        )
        return [
            Change(f"case/{case_id}", here, absorbed, act.by),
            Change(f"case/{into.case_id}", there, absorbing, there_as.by),
        ]

    return await network.desk.perform(order, decide)


async def _asked_since(reading: Reading, case_id: UUID) -> datetime | None:
    stream = f"case/{case_id}"
    since = asked_since(stream, [take(row.wire()) for row in await reading.ledger.read_stream(stream)])
    return None if since is None else datetime.fromisoformat(since)


async def reverse_merge(network: Network, order: Order[linking.ReverseMerge], case_id: UUID) -> Accepted:
    """Part two cases that were merged: one event in each stream, each under the pseudonym known there."""

    async def decide(reading: Reading) -> Sequence[Change]:
        case = await _its_case(network, reading, order, case_id)
        into = await _its_case(network, reading, order, order.command.into)
        act, there_as = await network.desk.act(order, case_id), await network.desk.act(order, order.command.into)
        here, there = reading.home(f"case/{case_id}"), reading.home(f"case/{into.case_id}")
        absorbed, absorbing = linking.reverse_merge(case, order.command, act, into=into)
        return [
            Change(f"case/{case_id}", here, absorbed, act.by),
            Change(f"case/{into.case_id}", there, absorbing, there_as.by),
        ]

    return await network.desk.perform(order, decide)


async def record_consent(
    network: Network,
    order: Order[protection.RecordConsent],
    case_id: UUID,
    person: UUID | None,
    introduce: Introduce = nobody_new,
) -> Accepted:
    """Record what `person` agreed to, None where the vault does not know them: erasing them erases it here too.

    `introduce` makes them known to it, where they are new (services/acts/newcomer).
    """

    async def decide(reading: Reading) -> Sequence[Change]:
        case, consent_id = await _its_case(network, reading, order, case_id), reading.new_id("consent")
        act = await network.desk.act(order, case_id)
        events = protection.record_consent(case, order.command, act, consent_id=consent_id, person=person)
        return [Change(f"case/{case_id}", reading.home(f"case/{case_id}"), events, act.by)]

    async def settle(changes: Sequence[Change]) -> Sequence[Change]:
        await introduce()
        return changes

    facts, new = {"person": str(person) if person else None}, introduce is not nobody_new
    return await network.desk.perform(order, decide, facts=facts, look_first=new, settle=settle)


async def _classify(
    network: Network, reading: Reading, case: Case, command: opening.Classify, act: Act
) -> Sequence[CaseEvent]:
    return opening.classify(case, command, act, current_actor=await network.actor_class(reading, case))


async def _link_report(
    network: Network, reading: Reading, case: Case, command: linking.LinkReport, act: Act
) -> Sequence[CaseEvent]:
    one = await _evidence(reading, command)
    home = reading.home(f"case/{case.case_id}")
    return linking.link_report(case, command, act, report=one.report, home=home, there=one.home)


async def _relate(
    network: Network, reading: Reading, case: Case, command: linking.Relate, act: Act
) -> Sequence[CaseEvent]:
    other = await reading.case(command.case_id)
    return linking.relate(case, command, act, other=other, there=reading.home(f"case/{command.case_id}"))


async def _record_harm(
    network: Network, reading: Reading, case: Case, command: judging.RecordHarm, act: Act
) -> Sequence[CaseEvent]:
    elsewhere = command.counted_in if command.counted_in != case.case_id else None
    counting = await reading.case(elsewhere) if elsewhere else None
    return judging.record_harm(case, command, act, counting=counting)


async def _check_harm(
    network: Network, reading: Reading, case: Case, command: protection.CheckHarm, act: Act
) -> Sequence[CaseEvent]:
    recipient = await reading.recipient(command.recipient)
    unit = case.place.unit if case.place else None
    units = frozenset({unit, *network.gazetteer.ancestors(unit)}) if unit else frozenset[str]()
    actor = await network.actor_class(reading, case)
    check_id = reading.new_id("check")
    return protection.check_harm(case, command, act, check_id=check_id, recipient=recipient, actor=actor, units=units)


async def _release_check(
    network: Network, reading: Reading, case: Case, command: protection.ReleaseCheck, act: Act
) -> Sequence[CaseEvent]:
    return protection.release_check(case, command, act, released_id=reading.new_id("check"))


async def _act_without_consent(
    network: Network, reading: Reading, case: Case, command: protection.ActWithoutConsent, act: Act
) -> Sequence[CaseEvent]:
    return protection.act_without_consent(case, command, act, released_id=reading.new_id("consent"))


async def _refer(
    network: Network, reading: Reading, case: Case, command: referral.Refer, act: Act
) -> Sequence[CaseEvent]:
    recipient = await reading.recipient(command.recipient)
    return referral.refer(case, command, act, referral_id=reading.new_id("referral"), recipient=recipient)


async def _check_outcome(
    network: Network, reading: Reading, case: Case, command: referral.CheckOutcome, act: Act
) -> Sequence[CaseEvent]:
    """Nobody who acted in this case as a recipient checks it, whatever role they come in now or for whom."""
    took_steps = reading.actors(f"case/{case.case_id}", Role.RECIPIENT)
    return referral.check_outcome(case, command, act, is_recipient=bool(act.by.people & took_steps))


async def _close(
    network: Network, reading: Reading, case: Case, command: ending.Close, act: Act
) -> Sequence[CaseEvent]:
    return ending.close(case, command, act, absorbed=await _absorbed(reading, case))


async def _absorbed(reading: Reading, case: Case) -> Sequence[Case]:
    """All that was merged into a case, directly or through another."""
    absorbed: list[Case] = []
    for case_id in sorted(case.absorbed):
        one = await reading.case(case_id)
        absorbed += [one, *await _absorbed(reading, one)]
    return absorbed


async def _reopen(
    network: Network, reading: Reading, case: Case, command: ending.Reopen, act: Act
) -> Sequence[CaseEvent]:
    evidence = [await _evidence(reading, one) for one in command.reports]
    return ending.reopen(case, command, act, evidence=evidence, home=reading.home(f"case/{case.case_id}"))


async def _evidence(reading: Reading, cited: linking.LinkReport) -> Evidence:
    report = await reading.report(cited.report_id)
    return Evidence(report=report, home=reading.home(f"report/{cited.report_id}"), independent=cited.independent)


INFORMED: Mapping[type[Command], Decision] = {
    opening.Classify: _classify,
    linking.LinkReport: _link_report,
    linking.Relate: _relate,
    judging.RecordHarm: _record_harm,
    protection.CheckHarm: _check_harm,
    protection.ReleaseCheck: _release_check,
    protection.ActWithoutConsent: _act_without_consent,
    referral.Refer: _refer,
    referral.CheckOutcome: _check_outcome,
    ending.Close: _close,
    ending.Reopen: _reopen,
}
"""Decisions that must know something from elsewhere first."""
