"""What one request carries: one event, or those of a province that came together, as a CloudEvents batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from events.envelope import named_id
from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from services.notifier.deciding import CRISIS
from services.subscribers.filters import PublicEvent

MOST_EVENTS = 200
"""In one notice: a body of at most some hundred thousand bytes."""

_BATCHES = UUID("b3f0c1d2-5e77-8a4b-9c06-41d8e2a7f935")
"""Names the space of ids of batches."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Events in order of their positions. A batch of one is a batch: who reads batches always gets them.

    `cursor` is where a subscriber has come to when it is delivered; None: not further than it was.
    """

    events: Sequence[PublicEvent]
    is_batch: bool = False
    cursor: int | None = None

    @property
    def message_id(self) -> UUID:
        """The same at each try: the event's own id, or one that follows from those in the batch."""
        if not self.is_batch:
            return self.events[0].row.event_id
        return named_id(_BATCHES, " ".join(str(event.row.event_id) for event in self.events))

    @property
    def body(self) -> bytes:
        """The bytes as on Kafka; a batch is a JSON array of them."""
        wires = [event.wire for event in self.events]
        return b"[" + b",".join(wires) + b"]" if self.is_batch else wires[0]


def by_province(events: Iterable[PublicEvent], gazetteer: Gazetteer | None) -> list[Notice]:
    """One batch for each province of which there is something, those with a crisis first, else the eldest first.

    Of a province of which there is very much, several in a row: what is told of a unit last comes last.
    """
    of_province: dict[str, list[PublicEvent]] = {}
    for event in sorted(events, key=lambda one: one.position):
        of_province.setdefault(province_of(event.data["unit"], gazetteer), []).append(event)
    groups = sorted(of_province.values(), key=lambda group: (not any(map(is_urgent, group)), group[0].position))
    return [
        Notice(group[first : first + MOST_EVENTS], is_batch=True)
        for group in groups
        for first in range(0, len(group), MOST_EVENTS)
    ]


def is_urgent(event: PublicEvent) -> bool:
    """Whether nobody is to wait for more: a crisis."""
    return event.data.get("to") == CRISIS


def province_of(unit: str, gazetteer: Gazetteer | None) -> str:
    """The province that a unit lies in, in the division in force; for what lies in none the unit itself."""
    if gazetteer is None or unit not in gazetteer.units:
        return unit
    row = gazetteer.row_at(unit)
    around = (row, *gazetteer.ancestors(row))
    return next((one for one in around if gazetteer.unit(one).kind == UnitKind.PROVINCE), unit)
