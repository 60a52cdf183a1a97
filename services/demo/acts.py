"""One act of the play: who sends what to which address, when, and what it makes that later acts speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from services.demo.cast import Cast, Player
from services.demo.chance import Chance
from services.demo.scenario import Entry, Scenario

MORNING, EVENING = 6, 18
STEP = timedelta(hours=12)
"""People act in the morning and in the evening, so that deadlines of whole days fall on such a moment too."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something whose id is known when the act that makes it was done: `what` is report, case, check, …"""

    what: str
    of: str


@dataclass(frozen=True, slots=True)
class Act:
    """One command. `name` is its client's id; acts of one chain are done one after the other."""

    at: datetime
    who: Player
    name: str
    chain: str
    address: tuple[str | Made, ...]
    body: Mapping[str, Any]
    makes: Made | None = None

    @property
    def operation(self) -> str:
        """What is done, as the last part of the address says it."""
        return str(self.address[-1]).rsplit("/", 1)[-1]


@dataclass(slots=True)
class Pen:
    """Writes the acts of one chain down, in their order."""

    scenario: Scenario
    cast: Cast
    zone: tzinfo
    entry: Entry
    chance: Chance
    chain: str
    acts: list[Act] = field(default_factory=list)

    def aside(self, name: str) -> Pen:
        """A pen for a chain of its own, which goes on beside this one."""
        return Pen(
            self.scenario, self.cast, self.zone, self.entry, self.chance.of(name), f"{self.chain} {name}", self.acts
        )

    def moment(self, day: date, hour: int = 0) -> datetime:
        """A local hour of a day."""
        return datetime.combine(day, time(hour), self.zone)

    def write(
        self, at: datetime, who: Player, name: str, *address: str | Made, makes: str | None = None, **body: Any
    ) -> Made:
        """One act; what it makes bears the act's name."""
        full = f"{self.chain} {name}"
        made = Made(makes or "", full)
        stated = {key: value for key, value in body.items() if value is not None}
        self.acts.append(Act(at, who, full, self.chain, address, stated, made if makes else None))
        return made

    def on_report(self, at: datetime, who: Player, name: str, report: Made, what: str, /, **body: Any) -> Made:
        """An act on a report."""
        makes = "report" if what == "supersede" else None
        return self.write(at, who, name, "/v1/reports/", report, f"/{what}", makes=makes, **body)

    def on_case(
        self, at: datetime, who: Player, name: str, case: Made, what: str, /, makes: str | None = None, **body: Any
    ) -> Made:
        """An act on a case."""
        return self.write(at, who, name, "/v1/cases/", case, f"/{what}", makes=makes, **body)
