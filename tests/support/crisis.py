"""A long, even history as bytes on the log: cases live and end in every home, so that as many live at any moment.

Made from the published examples with other ids, places and times: about 600 bytes an event, as the trials had them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from events.envelope import canonical, named_id, splice
from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from services.gazetteer import read_gazetteer

EXAMPLES = Path(__file__).parents[2] / "schemas" / "events"
BEGIN = datetime(2015, 4, 26, 6, 0, tzinfo=UTC)
ROOT = UUID("00000000-0000-8000-8000-00000000c415")


@cache
def burundi() -> Gazetteer:
    """The gazetteer of Burundi with the division of 2015 in force."""
    folder = Path(__file__).parents[2] / "deploy" / "gazetteer" / "burundi"
    return read_gazetteer(folder).with_division_in_force("2015")


@cache
def example(name: str) -> dict[str, Any]:
    """The first published example of a type, as its data."""
    found: dict[str, Any] = orjson.loads(min((EXAMPLES / name).glob("*.[!s]*.json")).read_bytes())
    return found


@dataclass(frozen=True, slots=True)
class Written:
    """One event ready for the ledger or for Kafka."""

    position: int
    stream: str
    version: int
    type: str
    home: str
    recorded_at: datetime
    event_id: UUID
    command_id: UUID
    body: bytes

    def wire(self) -> bytes:
        return splice(self.body, self.position, self.recorded_at)


LIFE = (
    ("report", "report.received"),
    ("report", "report.graded"),
    ("case", "case.opened"),
    ("case", "case.report_linked"),
    ("report", "report.graded"),
    ("report", "report.concluded"),
    ("case", "case.assessed"),
    ("case", "case.harm_recorded"),
    ("case", "case.classified"),
    ("case", "case.harm_checked"),
    ("case", "case.consent_recorded"),
    ("case", "case.referred"),
    ("case", "case.referral_acknowledged"),
    ("case", "case.referral_accepted"),
    ("case", "case.decided"),
    ("case", "case.action_recorded"),
    ("case", "case.assessed"),
    ("case", "case.referral_completed"),
    ("case", "case.referral_outcome_checked"),
    ("case", "case.resolved"),
    ("case", "case.closed"),
)
"""One case from its first report to its end."""


def crisis(events: int, seed: int = 1, living: int = 400, per_day: int = 20_000) -> Iterator[Written]:
    """So many events of cases of which `living` are under way at a time, `per_day` events a day."""
    chance = random.Random(seed)
    communes = [unit.unit_id for unit in burundi().in_force(kind=UnitKind.COMMUNE)]
    lives: list[_Life] = []
    number = 0
    for position in range(1, events + 1):
        at = BEGIN + timedelta(days=1) * position / per_day
        while len(lives) < living:
            lives.append(_Life(number, chance.choice(communes)))
            number += 1
        chosen = chance.randrange(len(lives))
        life = lives[chosen]
        yield life.next(position, at)
        if life.step == len(LIFE):
            lives[chosen] = lives[-1]
            lives.pop()


class _Life:
    """One case and its report on their way through LIFE."""

    def __init__(self, number: int, unit: str) -> None:
        self.case, self.report = named_id(ROOT, f"case/{number}"), named_id(ROOT, f"report/{number}")
        self.referral = named_id(ROOT, f"referral/{number}")
        self.unit, self.home = unit, burundi().home_of(unit)
        self.step = 0
        self.versions = {"case": 0, "report": 0}
        self.round = 0

    def next(self, position: int, at: datetime) -> Written:
        noun, name = LIFE[self.step]
        self.step += 1
        self.versions[noun] += 1
        data = dict(example(name)["data"])
        self._fit(name, data, at)
        stream = f"{noun}/{self.case if noun == 'case' else self.report}"
        its_id = named_id(ROOT, f"{stream}/{self.versions[noun]}")
        attributes = {
            key: value for key, value in example(name).items()
            if key not in ("sequence", "time", "causationid", "onbehalfof", "engine")
        } | {
            "id": str(its_id),
            "subject": stream,
            "streamversion": self.versions[noun],
            "partitionkey": self.home,
            "commandid": str(its_id),
            "correlationid": str(its_id),
            "mode": "actual",
            "data": data,
        }  # fmt: skip
        return Written(
            position, stream, self.versions[noun], name, self.home, at, its_id, its_id, canonical(attributes)
        )

    def _fit(self, name: str, data: dict[str, Any], at: datetime) -> None:
        """Let the example speak of this case, here and now."""
        if "place" in data:
            data["place"] = data["place"] | {"unit": self.unit, "precision": "commune"}
        if data.get("occurred"):
            day = at.date().isoformat()
            data["occurred"] = data["occurred"] | {"from": day, "to": day}
        if "report_id" in data:
            data["report_id"] = str(self.report)
        if "referral_id" in data:
            data["referral_id"] = str(self.referral)
        if "counted_in" in data:
            data["counted_in"] = str(self.case)
        if name == "case.assessed":
            self.round += 1
            data["round"] = self.round
            data["evidence"] = [str(self.report)]
        for name in ("acknowledge_by", "act_by", "ratify_by", "valid_until", "until"):
            if data.get(name):
                data[name] = (at + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        data.pop("carried", None)
