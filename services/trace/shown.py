"""A trace as it is answered: what is in clear of each event, and of what its asker may not see how much there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from services.trace.events import ALERT, ESCALATED, LEVEL, OVERDUE, Told
from services.trace.tracing import Lists, Resting, Trace

Sees = Callable[[str], bool]

CLEAR: Mapping[str, tuple[str, ...]] = {
    LEVEL: ("unit", "from", "to", "cause", "effective_at"),
    ALERT: ("unit", "from", "to", "change", "on"),
    OVERDUE: ("awaited", "due", "step"),
    ESCALATED: ("awaited", "due", "step", "rung", "tell"),
    "alert.overridden": ("unit", "level", "until", "reason"),
    "alert.override_ended": ("unit",),
    "alert.acknowledged": ("unit",),
    "case.report_linked": ("report_id",),
    "case.report_unlinked": ("report_id",),
    "case.classified": ("kind",),
    "case.opened": ("kind", "severity", "provisional"),
    "case.assessed": ("round", "severity", "credibility", "verification_state"),
    "case.decided": ("choice",),
    "case.merged": ("into", "absorbed"),
    "case.merge_reversed": ("into", "absorbed"),
    "case.referred": ("referral_id", "recipient", "purpose"),
    "case.resolved": ("outcome",),
    "case.reopened": ("reason",),
    "report.received": ("kind",),
}
"""What is shown of each type beside its place on the ledger: words of vocabularies and ids, never a text."""

OF_MESSAGES = ("subscriber_id", "event_id", "position", "resends", "attempts", "first_at", "last_at", "delivered_at")


class Shown:
    """Counts what it leaves out."""

    def __init__(self, trace: Trace, sees: Sees) -> None:
        self._trace = trace
        self._sees = sees
        self.hidden = 0

    def document(self) -> dict[str, Any]:
        trace = self._trace
        told = {
            "event": self._event(trace.event),
            "takes_back": None if trace.takes_back is None else self._event(trace.takes_back),
            "recorded_together": [self._event(one) for one in self._seen(trace.together)],
            "rests_on": self._resting(trace.rests_on),
            "resting": self._lists(trace.resting),
            "led_to": self._lists(trace.led_to),
            "up_to_position": trace.up_to,
        }
        return told | {"outside_your_area": self.hidden}

    def sees(self, told: Told) -> bool:
        """Whether whoever asks may see this event: by the unit that it is about."""
        category, _, record = told.row.stream.partition("/")
        unit = record if category in ("level", "alert") else self._trace.units.get(told.row.stream)
        return unit is None or self._sees(unit)

    def _seen(self, events: Iterable[Told]) -> list[Told]:
        everything = list(events)
        seen = [one for one in everything if self.sees(one)]
        self.hidden += len(everything) - len(seen)
        return seen

    def _resting(self, found: Sequence[Resting]) -> list[dict[str, Any]]:
        seen = {one.row.event_id for one in self._seen(one.told for one in found)}
        return [self._event(one.told) | {"through": one.through} for one in found if one.told.row.event_id in seen]

    def _lists(self, lists: Lists) -> dict[str, Any]:
        told: dict[str, Any] = {name: self._resting(found) for name, found in lists.events.items()}
        alerts = {one["event_id"] for one in told["alerts"]}
        alerts |= {one.row.event_id for one in (self._trace.event, self._trace.takes_back) if one is not None}
        shown = [one for one in lists.messages if one["event_id"] in alerts]
        self.hidden += len(lists.messages) - len(shown)
        return told | {"messages": [_message(one) for one in shown]}

    def _event(self, told: Told) -> dict[str, Any]:
        row = told.row
        names = CLEAR.get(row.type, ("referral_id",) if row.type.startswith("case.referral_") else ())
        return {
            "event_id": row.event_id,
            "position": row.position,
            "stream": row.stream,
            "type": row.type,
            "recorded_at": row.recorded_at,
            "says": {name: told.data[name] for name in names if told.data.get(name) is not None},
        }


def _message(row: asyncpg.Record) -> dict[str, Any]:
    return {name: row[name] for name in OF_MESSAGES}
