"""A long, even history as bytes on the log: cases live and end in every home, so that as many live at any moment.

Made from the published examples with other ids, places, dates and judgements, without what an event may leave out. The
envelope alone is about 620 bytes, so an event is about 840 on average: the 600 of the trials were of a smaller one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from events.envelope import canonical, named_id, splice
from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from events.vocabulary import EVERY_HOME, wire_time
from services.gazetteer import read_gazetteer

ROOT_FOLDER = Path(__file__).parents[2]
EXAMPLES = ROOT_FOLDER / "schemas" / "events"
RULES = ROOT_FOLDER / "deploy" / "rules" / "burundi.toml"
BEGIN = datetime(2015, 4, 26, 6, 0, tzinfo=UTC)
ROOT = UUID("00000000-0000-8000-8000-00000000c415")
HOUR = timedelta(hours=1)

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

KINDS = ("violence", "tension", "rumour_or_hate_speech", "electoral_irregularity", "detention_or_rights")
JUDGED = ("confirmed_true", "probably_true", "unverifiable", "probably_false", "confirmed_false")
SEVERITIES = ("minor", "moderate", "severe", "extreme")

LEFT_OUT = ("carried", "place_words", "exact_times", "sub_kind", "actor_class", "contact", "source", "note")
"""Fields that an event may leave out, and that most do."""

SHORT = 107
"""Characters of a sealed text of 64 bytes with its tag: half a short message."""


@cache
def burundi() -> Gazetteer:
    """The gazetteer of Burundi with the division of 2015 in force."""
    folder = ROOT_FOLDER / "deploy" / "gazetteer" / "burundi"
    return read_gazetteer(folder).with_division_in_force("2015")


@cache
def example(name: str) -> dict[str, Any]:
    """The first published example of a type, without what it may leave out."""
    found: dict[str, Any] = orjson.loads(min((EXAMPLES / name).glob("*.[!s]*.json")).read_bytes())
    for word in ("sequence", "time", "correlationid", "causationid", "onbehalfof", "engine"):
        found.pop(word, None)
    data = found["data"] = {key: value for key, value in found["data"].items() if key not in LEFT_OUT}
    if "dissent" in data:
        data["dissent"] = []
    for text in ("text", "summary", "reason", "person"):
        if isinstance(sealed := data.get(text), dict):
            data[text] = sealed | {"ct": sealed["ct"][:SHORT]}
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

    @property
    def is_broadcast(self) -> bool:
        return self.home == EVERY_HOME

    def wire(self) -> bytes:
        return splice(self.body, self.position, self.recorded_at)


def crisis(
    events: int,
    seed: int = 1,
    living: int = 400,
    per_day: int = 20_000,
    wanted: Callable[[str], bool] = lambda home: True,
    reference: bool = False,
) -> Iterator[Written]:
    """So many events, `per_day` a day, of cases of which `living` are under way at a time.

    Yields those of homes that are `wanted`, and every broadcast: several processes can write one history together.
    With `reference` it begins with a gazetteer and the rules, and the clock ticks each hour.
    """
    chance = random.Random(seed)
    communes = [unit.unit_id for unit in burundi().in_force(kind=UnitKind.COMMUNE)]
    lives: list[_Life] = []
    number = ticks = 0
    mine = {home: wanted(home) for home in {burundi().home_of(unit) for unit in communes}}
    for position in range(1, events + 1):
        at = BEGIN + timedelta(days=1) * position / per_day
        if reference and position <= len(OPENING):
            yield OPENING[position - 1](position, at)
            continue
        if reference and at >= BEGIN + HOUR * (ticks + 1):
            ticks += 1
            yield _tick(position, ticks, BEGIN + HOUR * ticks)
            continue
        while len(lives) < living:
            lives.append(_Life(number, chance.choice(communes)))
            number += 1
        chosen = chance.randrange(len(lives))
        life = lives[chosen]
        step = life.step
        life.step += 1
        if mine[life.home]:
            yield life.write(step, position, at)
        if life.step == len(LIFE):
            lives[chosen] = lives[-1]
            lives.pop()


class _Life:
    """One case and its report on their way through LIFE."""

    def __init__(self, number: int, unit: str) -> None:
        self.number = number
        self.unit, self.home = unit, burundi().home_of(unit)
        self.step = 0
        self._ids: dict[str, Any] = {}

    def _begin(self) -> None:
        """What is only needed where it is written."""
        chance = random.Random(self.number)
        self._ids = {
            "case": str(named_id(ROOT, f"case/{self.number}")),
            "report": str(named_id(ROOT, f"report/{self.number}")),
            "referral": str(named_id(ROOT, f"referral/{self.number}")),
        }
        self._kind, self._judged, self._severity = (
            chance.choice(KINDS),
            chance.choice(JUDGED),
            chance.choice(SEVERITIES),
        )

    def write(self, step: int, position: int, at: datetime) -> Written:
        if not self._ids:
            self._begin()
        noun, name = LIFE[step]
        version = VERSIONS[step]
        stream = f"{noun}/{self._ids[noun]}"
        data = dict(example(name)["data"])
        self._fit(name, data, at, 1 if step < 10 else 2)
        return _written(position, stream, version, name, self.home, at, data)

    def _fit(self, name: str, data: dict[str, Any], at: datetime, time_of: int) -> None:
        """Let the example speak of this case, here and now."""
        if "place" in data:
            data["place"] = data["place"] | {"unit": self.unit, "precision": "commune"}
        if "kind" in data:
            data["kind"] = self._kind
        if "occurred" in data:
            day = at.date().isoformat()
            data["occurred"] = data["occurred"] | {"from": day, "to": day}
        if "report_id" in data:
            data["report_id"] = self._ids["report"]
        if "referral_id" in data:
            data["referral_id"] = self._ids["referral"]
        if "counted_in" in data:
            data["counted_in"] = self._ids["case"]
        if "severity" in data:
            data["severity"] = self._severity
        if name == "case.assessed":
            data["round"] = time_of
            data["verification_state"] = self._judged
            data["evidence"] = [self._ids["report"]]
        for field in ("acknowledge_by", "act_by", "ratify_by", "valid_until", "until"):
            if field in data:
                data[field] = wire_time(at + timedelta(days=2))
        for field in ("done_at", "received_at"):
            if field in data:
                data[field] = wire_time(at)


def _versions() -> tuple[int, ...]:
    counts = {"case": 0, "report": 0}
    found = []
    for noun, _ in LIFE:
        counts[noun] += 1
        found.append(counts[noun])
    return tuple(found)


VERSIONS = _versions()
"""Each step's number in its stream."""


def _gazetteer(position: int, at: datetime) -> Written:
    gazetteer = burundi()
    data = {
        "gazetteer": gazetteer.facts.gazetteer_id,
        "content_hash": gazetteer.content_hash,
        "content": dict(gazetteer.content()),
    }
    return _written(position, "reference/gazetteer", 1, "reference.gazetteer_adopted", EVERY_HOME, at, data)


def _rules(position: int, at: datetime) -> Written:
    content = RULES.read_text()
    data = {"rule_set": "burundi", "content": content, "content_hash": sha256(content.encode()).hexdigest()}
    return _written(position, "reference/rules", 1, "reference.rules_adopted", EVERY_HOME, at, data)


def engine(position: int, at: datetime) -> Written:
    """The level's first engine begins to speak; for who wants levels that are said."""
    data = {"projection": "alert_level", "number": 1}
    return _written(position, "reference/engines", 1, "reference.engine_adopted", EVERY_HOME, at, data)


def _tick(position: int, number: int, at: datetime) -> Written:
    midnight = at.hour == 22  # in Bujumbura
    data = {"nominal": wire_time(at), "reason": "midnight" if midnight else "hour"}
    return _written(position, "reference/clock", number, "clock.ticked", EVERY_HOME, at, data)


OPENING = (_gazetteer, _rules)
"""What stands at the beginning of the log."""


def _written(
    position: int, stream: str, version: int, name: str, home: str, at: datetime, data: dict[str, Any]
) -> Written:
    its_id = named_id(ROOT, f"{stream}/{version}")
    attributes = example(name) | {
        "id": str(its_id),
        "subject": stream,
        "streamversion": version,
        "partitionkey": home,
        "commandid": str(its_id),
        "mode": "actual",
        "data": data,
    }
    return Written(position, stream, version, name, home, at, its_id, its_id, canonical(attributes))
