"""From what an answer begins: the event itself, what it takes back, and what a message was received as before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.trace.events import RECEIVED, Told
from services.trace.taken_back import ASSESSED, CLASSIFIED, OPENED, taken_back

OF_THE_MESSAGE = frozenset({RECEIVED, "report.withdrawn", "report.superseded"})
"""What is said of a message as a whole, and so of all that it was received as."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An event on which others rest. Where `until` is given, only those count that held before that one."""

    told: Told
    until: Told | None = None

    @property
    def event_id(self) -> str:
        return str(self.told.row.event_id)


def origins(event: Told, streams: Mapping[str, Sequence[Told]]) -> tuple[Origin, tuple[Origin, ...]]:
    """The event, and what it takes back or what it is the same message as. What a case was opened as is taken back
    for what rested on it until it was said anew: from then on that is what counts."""
    back = taken_back(event, streams[event.row.stream])
    opened_as = event if event.row.type in (ASSESSED, CLASSIFIED) else None
    others = [Origin(one, opened_as if one.row.type == OPENED else None) for one in back]
    if event.row.type in OF_THE_MESSAGE:
        others += map(Origin, received_before(streams[event.row.stream], streams))
    return Origin(event), tuple(others)


def received_before(report: Iterable[Told], streams: Mapping[str, Sequence[Told]]) -> list[Told]:
    """As what a report was received before, the latest first; `report` is its stream."""
    names: dict[str, None] = {}
    reading = list(report)
    while reading:
        earlier = [name for one in reading for name in earlier_lives(one) if name not in names]
        names |= dict.fromkeys(earlier)
        reading = [one for name in earlier for one in streams.get(name, ())]
    found = [one for name in names for one in streams.get(name, ()) if one.row.type == RECEIVED]
    return sorted(found, key=lambda one: -one.row.position)


def earlier_lives(told: Told) -> list[str]:
    """The streams of what a report was received as before, if this is it being received again."""
    if not (carried := told.data.get("carried")):
        return []
    return [f"report/{report_id}" for report_id in (*carried.get("received_before", ()), carried["supersedes"])]
