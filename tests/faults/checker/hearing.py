"""What somebody who subscribed has to hear, and what they are left in peace with until when, by schemas/README.md.

An alert comes where their filters take it, or where it takes back or ends an alert that they were left with. It waits
while a silence that stands says so, or, for who asked for that, while they were left with a higher alert of a unit
above; never a change to crisis, nor what takes back or ends what they were left with. Once nothing keeps it any more
the last alert of its unit comes, where it is not what they were left with.

A silence stands from where its beginning is announced in the log to where its end is; so whoever has the log knows what
has to come, after what, whenever it was sent.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.faults.checker.history import Subscribed
from tests.faults.checker.ledger import Row
from tests.faults.checker.places import Places

ALERT, ANNOUNCED = "alert.issued", "alert.silence_announced"
PUBLIC = (ALERT, ANNOUNCED)
AMENDS = ("corrected", "cancelled")
CRISIS = 4


class About(NamedTuple):
    """Of a unit, in a mode."""

    unit: str
    mode: str

    @classmethod
    def of(cls, row: Row) -> About:
        return cls(row.wire["data"]["unit"], row.wire["mode"])


class Due(NamedTuple):
    """What has to be sent, and by which event of the log: another one where it was kept back until then."""

    row: Row
    by: Row

    @property
    def waited(self) -> bool:
        return self.row is not self.by


def takes(one: Subscribed, data: Mapping[str, Any]) -> bool:
    """Whether filters take an alert: a level counts on either side of a change."""
    level = max(data["from"], data["to"])
    return (one.minimum_level is None or level >= one.minimum_level) and (
        one.changes is None or data["change"] in one.changes
    )


@dataclass
class Listener:
    """One who subscribed. `due`: what has to come, in this order; `kept`: what was kept back, by its event's id."""

    to: Subscribed
    places: Places | None = None
    due: list[Due] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    left_with: dict[About, Row] = field(default_factory=dict)
    waiting: dict[About, Row] = field(default_factory=dict)
    silences: dict[str, Row] = field(default_factory=dict)
    least_level: dict[str, int] = field(default_factory=dict)
    """From which level there are alerts, by the hash of the rules."""

    def take(self, row: Row) -> None:
        """One event more of the log."""
        data = row.wire["data"]
        match row.type:
            case "reference.gazetteer_adopted":
                self.places = Places(data["content"])
            case "reference.rules_adopted":
                text = data["content"]
                self.least_level[hashlib.sha256(text.encode()).hexdigest()] = tomllib.loads(text)["alerts"][
                    "from_level"
                ]
            case "alert.issued":
                self._issued(row)
                self._let_go(row)
            case "alert.silence_announced":
                self._announced(row)
                self._let_go(row)

    def warns(self, row: Row) -> bool:
        """Whether an alert is none that ends what was told."""
        data = row.wire["data"]
        lowest: int = self.least_level.get(data["rules_hash"], 0)
        return data["change"] != "cancelled" and bool(data["to"] >= lowest)

    def knows(self, about: About) -> int | None:
        """The level of which they were left with an alert."""
        row = self.left_with.get(about)
        return None if row is None or not self.warns(row) else int(row.wire["data"]["to"])

    def _announced(self, row: Row) -> None:
        data = row.wire["data"]
        if data["standing"] == "begins":
            self.silences[data["silence_id"]] = row
        else:
            self.silences.pop(data["silence_id"], None)
        changes = set(data.get("changes", ()))
        if not changes or self.to.changes is None or changes & set(self.to.changes):
            self.due.append(Due(row, row))

    def _issued(self, row: Row) -> None:
        about = About.of(row)
        one_waited = self.waiting.pop(about, None) is not None
        asked_for = takes(self.to, row.wire["data"]) or self._takes_back(row)
        if not asked_for and not (one_waited and self._tells_more(row)):
            return
        if self._has_to_wait(row):
            self.waiting[about] = row
            self.kept.add(row.event_id)
        elif not one_waited or self._tells_more(row):
            self._tell(row, row)

    def _let_go(self, by: Row) -> None:
        """The highest first: what they are told of a unit may keep back what lies in it."""
        for about, row in sorted(self.waiting.items(), key=lambda one: (-one[1].wire["data"]["to"], one[1].position)):
            if self._has_to_wait(row):
                continue
            del self.waiting[about]
            if self._tells_more(row):
                self._tell(row, by)

    def _tell(self, row: Row, by: Row) -> None:
        self.left_with[About.of(row)] = row
        self.due.append(Due(row, by))

    def _takes_back(self, row: Row) -> bool:
        """Whether it corrects, cancels or ends an alert that they were left with."""
        known = self.knows(About.of(row)) is not None
        return known and (row.wire["data"]["change"] in AMENDS or not self.warns(row))

    def _tells_more(self, row: Row) -> bool:
        """Whether it is not what they were left with."""
        return self.knows(About.of(row)) != (row.wire["data"]["to"] if self.warns(row) else None)

    def _has_to_wait(self, row: Row) -> bool:
        if row.wire["data"]["to"] >= CRISIS or self._takes_back(row):
            return False
        return any(self._keeps(silence, row) for silence in self.silences.values()) or (
            self.to.inhibit and self._lies_below_a_higher_one(row)
        )

    def _keeps(self, silence: Row, row: Row) -> bool:
        """Whether this silence keeps back this alert; one of no kind is kept back by none that names some."""
        what, data = silence.wire["data"], row.wire["data"]
        changes, kinds, its = what.get("changes", ()), set(what.get("kinds", ())), set(data.get("kinds", ()))
        return (
            silence.wire["mode"] == row.wire["mode"]
            and data["to"] <= what["up_to_level"]
            and (not changes or data["change"] in changes)
            and (not kinds or (bool(its) and its <= kinds))
            and self._lies_in(data["unit"], what["unit"])
        )

    def _lies_below_a_higher_one(self, row: Row) -> bool:
        here = About.of(row)
        return any(
            above.mode == here.mode
            and above.unit != here.unit
            and (self.knows(above) or 0) > row.wire["data"]["to"]
            and self._lies_in(here.unit, above.unit)
            for above in self.left_with
        )

    def _lies_in(self, unit: str, area: str) -> bool:
        return unit == area or (self.places is not None and area in self.places.around(unit))


def listened(to: Subscribed, rows: Iterable[Row]) -> Listener:
    """Whoever subscribed, once they heard all that there is."""
    listener = Listener(to)
    for row in rows:
        listener.take(row)
    return listener
