"""What one subscriber is sent, and what is held back for them: alert by alert in the order of the ledger. Pure.

An alert is **wanted** where the subscriber's filters take it, or where it changes what they were left with: while they
believe an alert of a unit, they hear of whatever takes it back and of its end, whatever their filters say.

A wanted alert is **held back** while a silence matches it, or, for who asked for that (`inhibits`), while they believe
a higher alert of a unit that it lies in. Never held back are a level of crisis, and what takes back or ends an alert
that they believe: nobody is left with less than the worst, or with what is over. A later alert of the unit takes the
place of the one that is held. Once nothing holds it any more it is sent, unless it leaves them where they are.

What they believe of a unit is what was sent last of it, from the first try on. Whoever did not answer that they took it
may have heard it or not: for them an alert may stand, of a level that is not known (-1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from events.alert import AlertSilenceAnnounced, SilenceStanding
from events.places.gazetteer import Gazetteer
from services.area import Area
from services.subscribers.filters import AMENDS, Filters, PublicEvent

CRISIS = 4


class About(NamedTuple):
    """What is believed is believed of a unit, in a mode."""

    unit: str
    mode: str


@dataclass(frozen=True, slots=True)
class Believed:
    """What a subscriber was sent last of a unit; it `stands` where that was an alert and no end of one."""

    position: int
    level: int
    stands: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """What one holds back."""

    unit: str
    mode: str
    up_to_level: int
    changes: frozenset[str]
    kinds: frozenset[str]

    @classmethod
    def of(cls, event: PublicEvent) -> Silence:
        data = event.data
        matched = frozenset(data["changes"]), frozenset(data["kinds"])
        return cls(data["unit"], event.mode, data["up_to_level"], *matched)

    def matches(self, alert: PublicEvent, gazetteer: Gazetteer | None) -> bool:
        """Whether it holds back an alert."""
        kinds = frozenset(alert.data.get("kinds", ()))
        return (
            alert.mode == self.mode
            and alert.level <= self.up_to_level
            and (not self.changes or alert.data["change"] in self.changes)
            and (not self.kinds or (bool(kinds) and kinds <= self.kinds))
            and covers(self.unit, alert.data["unit"], gazetteer)
        )


def covers(area: str, unit: str, gazetteer: Gazetteer | None) -> bool:
    """Whether a unit is this one or lies in it."""
    return area == unit or (gazetteer is not None and Area(frozenset({area})).covers(gazetteer, unit))


@dataclass(slots=True)
class Attention:
    """What one subscriber believes, what is held back for them, and which silences stand at the place they came to.

    `stands` says of an alert whether it warns, by the rules of its time. All of it is the same whether it was folded
    from the beginning or read back in between.
    """

    filters: Filters
    stands: Callable[[PublicEvent], bool]
    inhibits: bool = False
    believed: dict[About, Believed] = field(default_factory=dict)
    held: dict[About, PublicEvent] = field(default_factory=dict)
    silences: dict[UUID, Silence] = field(default_factory=dict)

    def take(self, event: PublicEvent, gazetteer: Gazetteer | None) -> list[PublicEvent]:
        """What is to be sent now that this happened, in this order: it, and what was held back until now."""
        if event.row.type == AlertSilenceAnnounced.name:
            return self._announced(event, gazetteer) + self.release(gazetteer)
        return self._issued(event, gazetteer) + self.release(gazetteer)

    def _announced(self, event: PublicEvent, gazetteer: Gazetteer | None) -> list[PublicEvent]:
        silence_id, silence = UUID(event.data["silence_id"]), Silence.of(event)
        if event.data["standing"] == SilenceStanding.BEGINS.value:
            self.silences[silence_id] = silence
        else:
            self.silences.pop(silence_id, None)
        return [event] if concerns(self.filters, silence, gazetteer) else []

    def _issued(self, alert: PublicEvent, gazetteer: Gazetteer | None) -> list[PublicEvent]:
        about = About(alert.data["unit"], alert.mode)
        in_its_place = self.held.pop(about, None)
        wanted = self.filters.take(alert, gazetteer) or self._unsettles(about, alert)
        if not wanted and (in_its_place is None or not self._news(about, alert)):
            return []
        if self._is_held_back(about, alert, gazetteer):
            self.held[about] = alert
            return []
        if in_its_place is not None and not self._news(about, alert):
            return []
        self._believe(about, alert)
        return [alert]

    def was_tried(self, event: PublicEvent, *, delivered: bool) -> None:
        """Whoever ran before had sent this event, whatever is decided of it now: they believe it, or may."""
        if event.row.type == AlertSilenceAnnounced.name:
            return
        about = About(event.data["unit"], event.mode)
        if delivered:
            self._believe(about, event)
            if self.held.get(about) is event:
                del self.held[about]
        elif about not in self.believed or self.believed[about].position != event.position:
            self.believed[about] = Believed(event.position, -1, stands=True)

    def _unsettles(self, about: About, alert: PublicEvent) -> bool:
        """Whether it takes back or ends what they believe."""
        believed = self.believed.get(about)
        if believed is None or not believed.stands:
            return False
        return alert.data["change"] in AMENDS or not self.stands(alert)

    def _news(self, about: About, alert: PublicEvent) -> bool:
        """Whether they believe something else than this says."""
        believed = self.believed.get(about)
        stood = believed is not None and believed.stands
        if not self.stands(alert):
            return stood
        return not stood or believed is None or believed.level != alert.level

    def _is_held_back(self, about: About, alert: PublicEvent, gazetteer: Gazetteer | None) -> bool:
        if alert.level >= CRISIS or self._unsettles(about, alert):
            return False
        if any(one.matches(alert, gazetteer) for one in self.silences.values()):
            return True
        return self.inhibits and any(
            believed.stands and believed.level > alert.level and covers(above.unit, about.unit, gazetteer)
            for above, believed in self.believed.items()
            if above.mode == about.mode and above.unit != about.unit
        )

    def release(self, gazetteer: Gazetteer | None) -> list[PublicEvent]:
        """What nothing holds back any more, the highest first, since what is sent of a unit may hold back what lies in
        it; what leaves them where they are is forgotten."""
        released = []
        for about, alert in sorted(self.held.items(), key=lambda one: (-one[1].level, one[1].position)):
            if self._is_held_back(about, alert, gazetteer):
                continue
            del self.held[about]
            if self._news(about, alert):
                self._believe(about, alert)
                released.append(alert)
        return released

    def _believe(self, about: About, alert: PublicEvent) -> None:
        self.believed[about] = Believed(alert.position, alert.level, self.stands(alert))


def concerns(filters: Filters, silence: Silence, gazetteer: Gazetteer | None) -> bool:
    """Whether a silence can hold back anything that these filters take."""
    if silence.mode not in filters.modes:
        return False
    if filters.changes is not None and silence.changes and not filters.changes & silence.changes:
        return False
    return filters.units is None or any(
        covers(unit, silence.unit, gazetteer) or covers(silence.unit, unit, gazetteer) for unit in filters.units
    )
