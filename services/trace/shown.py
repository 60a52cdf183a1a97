"""A trace as it is answered: what is in clear of each event, and of what its asker may not see how much there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from services.trace.events import ALERT, CHECKPOINT, ESCALATED, LEVEL, OVERDUE, Told
from services.trace.sources import Source
from services.trace.tracing import Lists, Resting, Trace

Sees = Callable[[str | None], bool]
"""Whether whoever asks may see what lies in a unit; None is what nobody knows a unit of."""

CLEAR: Mapping[str, tuple[str, ...]] = {
    LEVEL: ("unit", "from", "to", "cause", "effective_at"),
    ALERT: ("unit", "from", "to", "change", "on"),
    OVERDUE: ("awaited", "due", "step"),
    ESCALATED: ("awaited", "due", "step", "rung", "tell"),
    "alert.overridden": ("unit", "level", "until", "reason"),
    "alert.override_ended": ("unit",),
    "alert.acknowledged": ("unit",),
    "alert.silenced": ("unit", "up_to_level", "changes", "kinds", "until", "reason"),
    "alert.silence_ended": ("unit",),
    "alert.silence_announced": ("unit", "standing", "until"),
    "case.report_linked": ("report_id",),
    "case.report_unlinked": ("report_id",),
    "case.classified": ("kind",),
    "case.opened": ("kind", "severity", "provisional"),
    "case.assessed": ("round", "severity", "credibility", "verification_state"),
    "case.decided": ("choice",),
    "case.merged": ("into", "absorbed"),
    "case.merge_reversed": ("into", "absorbed"),
    "case.referred": ("referral_id", "recipient", "purpose"),
    "case.harm_checked": ("check_id", "recipient", "purpose", "verdict", "releases"),
    "case.consent_recorded": ("consent_id", "basis", "releases"),
    "case.consent_withdrawn": ("consent_id",),
    "case.resolved": ("outcome",),
    "case.reopened": ("reason",),
    "report.received": ("kind",),
    CHECKPOINT: ("size", "root"),
    "custody.export_made": ("exported", "up_to", "purpose"),
    "custody.record_viewed": ("viewed", "viewed_version", "viewed_type", "purpose"),
}
"""What is shown of each type beside its place on the ledger: words of vocabularies and ids, never a text."""

OF_MESSAGES = ("subscriber_id", "event_id", "position", "resends", "attempts", "first_at", "last_at", "delivered_at")


class Shown:
    """Counts what it leaves out."""

    def __init__(self, trace: Trace, sees: Sees) -> None:
        self._trace = trace
        self._sees = sees
        self._named = self._names()
        self.hidden = 0

    def document(self) -> dict[str, Any]:
        trace = self._trace
        told = {
            "event": self._event(trace.event),
            "takes_back": [self._event(one) for one in self._seen(trace.takes_back)],
            "recorded_together": [self._event(one) for one in self._seen(trace.together)],
            "rests_on": self._resting(trace.rests_on),
            "resting": self._lists(trace.resting),
            "led_to": self._lists(trace.led_to),
            "up_to_position": trace.up_to,
            "complete": trace.sources.complete,
            "sources": {name: _source(getattr(trace.sources, name)) for name in ("links", "levels", "messages")},
        }
        return told | {"outside_your_area": self.hidden}

    def sees(self, told: Told) -> bool:
        """Whether whoever asks may see this event: by the unit that it is about, where it is about one."""
        category, _, record = told.row.stream.partition("/")
        if category == "reference":
            return True
        return self._sees(record if category in ("level", "alert") else self._trace.units.get(told.row.stream))

    def _names(self) -> set[str]:
        """What may be named as that through which something is in the answer: events and cases that are seen."""
        trace = self._trace
        found = [one for lists in (trace.resting, trace.led_to) for listed in lists.events.values() for one in listed]
        events = [trace.event, *trace.takes_back, *(one.told for one in (*trace.rests_on, *found))]
        cases = {name for name, unit in trace.units.items() if self._sees(unit)}
        return cases | {str(one.row.event_id) for one in events if self.sees(one)}

    def _seen(self, events: Iterable[Told]) -> list[Told]:
        everything = list(events)
        seen = [one for one in everything if self.sees(one)]
        self.hidden += len(everything) - len(seen)
        return seen

    def _resting(self, found: Sequence[Resting]) -> list[dict[str, Any]]:
        seen = {one.row.event_id for one in self._seen(one.told for one in found)}
        return [self._told(one) for one in found if one.told.row.event_id in seen]

    def _told(self, one: Resting) -> dict[str, Any]:
        through = [name for name in one.through if name in self._named]
        return self._event(one.told) | {"through": through, "on": [name for name in one.on if name in self._named]}

    def _lists(self, lists: Lists) -> dict[str, Any]:
        told: dict[str, Any] = {name: self._resting(found) for name, found in lists.events.items()}
        alerts = {one["event_id"] for one in told["alerts"]}
        alerts |= {one.row.event_id for one in (self._trace.event, *self._trace.takes_back)}
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


def _source(source: Source) -> dict[str, Any]:
    return {"up_to_position": source.up_to, "complete": source.complete, "because": list(source.because)}
