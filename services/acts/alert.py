"""Acts on what strangers are told of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from events import alert as decisions
from events.alert import AlertEvent, AlertIssued, Code
from events.command import Command
from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from projections.alert_level.places import SCHEMES
from services.acts.network import Network
from services.desk.change import Change
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Accepted

_UNITS = UUID("3d1c7a0e-6b52-8f4d-9a77-2e9c5b8f1d60")
"""Names the space of ids under which people have their pseudonyms about what is told of a unit."""


async def act(network: Network, order: Order[Command]) -> Accepted:
    """Decide about the alerts of the unit that the command names; it lies in their area."""
    command = order.command
    assert isinstance(
        command,
        decisions.Override | decisions.EndOverride | decisions.Acknowledge | decisions.Silence | decisions.EndSilence,
    )
    unit = network.gazetteer.unit(command.unit).unit_id

    async def decide(reading: Reading) -> Sequence[Change]:
        order.area.refuse_outside(network.gazetteer, unit)
        act = await network.desk.act(order, uuid5(_UNITS, unit))
        alerting = await reading.alerting(unit)
        events: Sequence[AlertEvent]
        match command:
            case decisions.Override():
                row = _row(network.gazetteer, unit)
                events = decisions.override(alerting, command, act, person=order.person_id, row=row)
            case decisions.EndOverride():
                events = decisions.end_override(alerting, command, act, person=order.person_id)
            case decisions.Acknowledge():
                last = await _last_alert(network, unit)
                events = decisions.acknowledge(alerting, command, act, person=order.person_id, last=last)
            case decisions.Silence():
                place = _place(network.gazetteer, unit) if _row(network.gazetteer, unit) == unit else None
                silence_id = reading.new_id("silence")
                events = decisions.silence(
                    alerting, command, act, person=order.person_id, silence_id=silence_id, place=place
                )
            case decisions.EndSilence():
                events = decisions.end_silence(alerting, command, act, person=order.person_id)
        return [Change(f"alert/{unit}", network.gazetteer.home_of(unit), events, act.by)]

    return await network.desk.perform(order, decide)


def _row(gazetteer: Gazetteer, unit: str) -> str | None:
    """The unit in whose row the cases of a unit count; None where strangers are told of none."""
    row = gazetteer.row_at(unit)
    return row if row != unit or _is_told_of(gazetteer, unit) else None


def _place(gazetteer: Gazetteer, unit_id: str) -> tuple[str, tuple[Code, ...]]:
    unit = gazetteer.unit(unit_id)
    codes = ((scheme, getattr(unit, scheme)) for scheme in SCHEMES)
    return unit.name, tuple(Code(scheme=scheme, code=code) for scheme, code in codes if code)


def _is_told_of(gazetteer: Gazetteer, unit: str) -> bool:
    """Whether strangers are told alerts of a unit: not of what lies outside, and not of a commune that is no more."""
    kind = gazetteer.units[unit].kind
    return kind not in (UnitKind.OUTSIDE, UnitKind.UNPLACED) and gazetteer.is_in_force(unit)


async def _last_alert(network: Network, unit: str) -> UUID | None:
    """The id of the last alert of a unit: of the stream that the decision read, and that must not have moved since."""
    told = [row for row in await network.desk.ledger.read_stream(f"alert/{unit}") if row.type == AlertIssued.name]
    return told[-1].event_id if told else None
