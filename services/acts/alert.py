"""Acts on what strangers are told of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from events import alert as decisions
from events.alert import AlertEvent, AlertIssued
from events.command import Command
from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from services.acts.network import Network
from services.desk import Change, Order, Reading
from services.ledger.ledger import Accepted

_UNITS = UUID("3d1c7a0e-6b52-8f4d-9a77-2e9c5b8f1d60")
"""Names the space of ids under which people have their pseudonyms about what is told of a unit."""


async def act(network: Network, order: Order[Command]) -> Accepted:
    """Override what is told of the unit that the command names, end that, or acknowledge it; it lies in their area."""
    command = order.command
    assert isinstance(command, decisions.Override | decisions.EndOverride | decisions.Acknowledge)
    unit = network.gazetteer.unit(command.unit).unit_id

    async def decide(reading: Reading) -> Sequence[Change]:
        order.area.refuse_outside(network.gazetteer, unit)
        act = await network.desk.act(order, uuid5(_UNITS, unit))
        alerting = await reading.alerting(unit)
        events: Sequence[AlertEvent]
        match command:
            case decisions.Override():
                row = network.gazetteer.row_at(unit)
                told_of = row if row != unit or _is_told_of(network.gazetteer, unit) else None
                events = decisions.override(alerting, command, act, person=order.person_id, row=told_of)
            case decisions.EndOverride():
                events = decisions.end_override(alerting, command, act, person=order.person_id)
            case decisions.Acknowledge():
                last = await _last_alert(network, unit)
                events = decisions.acknowledge(alerting, command, act, person=order.person_id, last=last)
        return [Change(f"alert/{unit}", network.gazetteer.home_of(unit), events, act.by)]

    return await network.desk.perform(order, decide)


def _is_told_of(gazetteer: Gazetteer, unit: str) -> bool:
    """Whether strangers are told alerts of a unit: not of what lies outside, and not of a commune that is no more."""
    kind = gazetteer.units[unit].kind
    return kind not in (UnitKind.OUTSIDE, UnitKind.UNPLACED) and gazetteer.is_in_force(unit)


async def _last_alert(network: Network, unit: str) -> UUID | None:
    """The id of the last alert of a unit: of the stream that the decision read, and that must not have moved since."""
    told = [row for row in await network.desk.ledger.read_stream(f"alert/{unit}") if row.type == AlertIssued.name]
    return told[-1].event_id if told else None
