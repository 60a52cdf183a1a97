"""Alerts and announcements as a notifier reads them, one after the other, of units of Burundi."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from events.alert import AlertChange, AlertIssued, AlertSilenceAnnounced, SilenceStanding
from events.envelope import Draft
from events.places.gazetteer import Gazetteer
from events.reference import GazetteerAdopted, RulesAdopted
from events.vocabulary import EVERY_HOME, Actor, Mode, Role
from services.gazetteer import read_gazetteer
from services.ledger.ledger import Recorded
from services.ledger.postgres import PostgresLedger
from services.subscribers.filters import PublicEvent
from tests.support.domain import HOME
from tests.support.ledgers import by_nobody

BURUNDI = Path(__file__).parents[2] / "deploy" / "gazetteer" / "burundi"
COUNTRY, PROVINCE, GIHANGA, MPANDA, ELSEWHERE = (
    "bi",
    "bi:p2015:bubanza",
    "bi:c2015:gihanga",
    "bi:c2015:mpanda",
    "bi:c2015:ngozi",
)
UNITS = (COUNTRY, PROVINCE, GIHANGA, MPANDA, ELSEWHERE)
FROM_LEVEL = 2
_AT = datetime(2026, 5, 20, tzinfo=UTC)
_IDS = UUID("1b0e3c52-7a44-8d1f-9e02-5c6b7d8e9fa0")


@cache
def burundi(division: str) -> Gazetteer:
    return read_gazetteer(BURUNDI).with_division_in_force(division)


def gazetteer() -> Gazetteer:
    return burundi("2015")


def stands(alert: PublicEvent) -> bool:
    return alert.data["change"] != "cancelled" and alert.level >= FROM_LEVEL


@dataclass
class Log:
    """What was told so far; an alert that nobody would issue is not told."""

    events: list[PublicEvent] = field(default_factory=list)
    said: list[tuple[str, AlertIssued | AlertSilenceAnnounced, Mode]] = field(default_factory=list)
    levels: dict[tuple[str, Mode], int] = field(default_factory=dict)
    alerts: dict[tuple[str, Mode], UUID] = field(default_factory=dict)

    def level(
        self, unit: str, to: int, *, corrects: bool = False, mode: Mode = Mode.ACTUAL, kinds: tuple[str, ...] = ()
    ) -> PublicEvent | None:
        """Another level of a unit, told as a voice tells it."""
        before, last = self.levels.get((unit, mode), 0), self.alerts.get((unit, mode))
        self.levels[unit, mode] = to
        if before == to or (last is None and to < FROM_LEVEL):
            return None
        change = AlertChange.RAISED if to > before else AlertChange.LOWERED
        if corrects and last is not None:
            change = AlertChange.CORRECTED if to >= FROM_LEVEL else AlertChange.CANCELLED
        cancels = change is AlertChange.CANCELLED
        said = AlertIssued(
            unit=unit,
            unit_name=unit,
            before=before,
            after=to,
            on=_AT.date(),
            kinds=kinds,
            rules_hash="0" * 64,
            change=change,
            updates=None if cancels else last,
            cancels=last if cancels else None,
        )
        event = self._tell(unit, said, mode)
        self.alerts.pop((unit, mode), None)
        if to >= FROM_LEVEL:
            self.alerts[unit, mode] = event.row.event_id
        return event

    def silence(self, name: str, unit: str, up_to_level: int = 3, *, ends: bool = False, **only: Any) -> PublicEvent:
        """A silence begins, or ends."""
        said = AlertSilenceAnnounced(
            silence_id=uuid5(_IDS, name),
            standing=SilenceStanding.ENDS if ends else SilenceStanding.BEGINS,
            unit=unit,
            unit_name=unit,
            up_to_level=up_to_level,
            until=_AT + timedelta(days=3),
            **only,
        )
        return self._tell(unit, said, Mode.ACTUAL)

    def _tell(self, unit: str, said: AlertIssued | AlertSilenceAnnounced, mode: Mode) -> PublicEvent:
        position = 10 * len(self.events) + 10
        event_id, stream = uuid5(_IDS, str(position)), f"alert/{unit}"
        draft = Draft(
            event_id=event_id,
            source="urn:intabaza:test",
            stream=stream,
            version=position,
            home=HOME,
            data=said,
            command_id=event_id,
            command_mac=b"",
            actor=Actor(role=Role.SYSTEM, ref=UUID(int=1)),
            mode=mode,
            engine=1,
        )
        self.said.append((stream, said, mode))
        row = Recorded(position, stream, position, event_id, said.name, HOME, _AT, event_id, b"", draft.body())
        self.events.append(PublicEvent.of(row))
        return self.events[-1]


HAPPENS = st.one_of(
    st.tuples(st.just("level"), st.sampled_from(UNITS), st.integers(0, 4), st.booleans()),
    st.tuples(st.just("begins"), st.sampled_from(UNITS), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("ends"), st.integers(0, 5), st.just(0), st.just(False)),
)
"""What may happen in a history: another level, a silence that begins, one that ends."""


def history(happens: list[tuple[Any, ...]]) -> Log:
    """The log of it, at whose end no silence stands."""
    log = Log()
    standing: dict[str, tuple[str, int, dict[str, Any]]] = {}
    for number, (what, *said) in enumerate(happens):
        if what == "level":
            log.level(said[0], said[1], corrects=said[2], kinds=("displacement",) if said[2] else ())
        elif what == "begins":
            only: dict[str, Any] = {"changes": ("raised",)} if said[2] else {}
            standing[f"s{number}"] = (said[0], said[1], only)
            log.silence(f"s{number}", said[0], said[1], **only)
        elif standing:
            name = list(standing)[said[0] % len(standing)]
            unit, up_to, only = standing.pop(name)
            log.silence(name, unit, up_to, ends=True, **only)
    for name, (unit, up_to, only) in standing.items():
        log.silence(name, unit, up_to, ends=True, **only)
    return log


def dealt(dice: Random) -> tuple[Any, ...]:
    """As `HAPPENS` of a history, by dice."""
    match dice.choice(("level", "level", "level", "begins", "ends")):
        case "level":
            return "level", dice.choice(UNITS), dice.randint(0, 4), dice.random() < 0.3
        case "begins":
            return "begins", dice.choice(UNITS), dice.randint(1, 3), dice.random() < 0.3
        case _:
            return "ends", dice.randint(0, 5), 0, False


async def adopt(ledger: PostgresLedger) -> None:
    """The units of Burundi, and rules by which there are alerts from `FROM_LEVEL` on."""
    places, rules = gazetteer(), f"[alerts]\nfrom_level = {FROM_LEVEL}\n"
    burundi = GazetteerAdopted(gazetteer="burundi", content=places.content(), content_hash=places.content_hash)
    await ledger.append(by_nobody("reference/gazetteer", 1, burundi, home=EVERY_HOME))
    adopted = RulesAdopted(rule_set="burundi", content=rules, content_hash="0" * 64)
    await ledger.append(by_nobody("reference/rules", 1, adopted, home=EVERY_HOME))
