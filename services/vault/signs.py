"""The port of the held signs: a check-in is here from its acceptance until its day is over, and then on the log.

Nothing here tells at which moment of its day one came. `moment` is a simulated ledger's clock; None is the server's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Taken(StrEnum):
    """What became of a check-in."""

    HELD = "held"
    REPEATED = "repeated"
    REUSED = "reused"
    """Its id was used for another one."""
    GONE = "gone"
    """Its person, or a key of theirs, is erased; nothing was written."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What became of a check-in, and on which local day it was first taken."""

    outcome: Taken
    taken_on: date


@dataclass(frozen=True, slots=True)
class Words:
    """What a check-in says for one stream: sealed under the key of its person for that stream, as canonical JSON."""

    reporter_id: UUID
    key_id: UUID
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSign:
    """A check-in as it is taken: `on` is the day it is of, and `words` are for every stream of its person."""

    command_id: UUID
    mac: bytes
    person_id: UUID = field(repr=False)
    on: date
    channel: str
    words: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class HeldSign:
    """A sign of life of one stream that is on no log yet."""

    reporter_id: UUID
    person_id: UUID = field(repr=False)
    key_id: UUID
    on: date
    channel: str
    sealed: bytes = field(repr=False)
    taken_on: date


@dataclass(frozen=True, slots=True)
class Gathering:
    """The signs that go onto the log in one go, under one command id, for ever the same."""

    batch_id: UUID
    signs: tuple[HeldSign, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The day it is, and what is to go onto the log, the earliest first."""

    today: date
    gatherings: tuple[Gathering, ...]


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many signs are held whose day is over, and for how many seconds that of the oldest is."""

    signs: int = 0
    seconds: float = 0.0


class SignStore(Protocol):
    """The held signs of one deployment. Whoever is erased, or whose key is destroyed, has none any more."""

    async def hold(self, sign: NewSign, moment: datetime | None, zone: tzinfo) -> Taking:
        """Take a check-in, synced. What is said last of a day over a channel stands, until it is gathered."""
        ...

    async def taken(self, command_id: UUID, mac: bytes) -> Taking | None:
        """What became of a check-in earlier; None for one that never came."""
        ...

    async def gather(self, moment: datetime | None, zone: tzinfo, keep_days: int) -> Gathered:
        """Gather what may be recorded (events/reporter.recorded_from), once a day; and whatever is gathered and here.

        Check-ins of a day more than `keep_days` ago are known as repeats no longer.
        """
        ...

    async def let_go(self, batch_id: UUID) -> None:
        """Forget signs that are on the log."""
        ...

    async def last_held(self, reporter_ids: Collection[UUID], today: date) -> Mapping[UUID, date]:
        """The latest day of a held sign of each of these streams that has one which was taken before today."""
        ...

    async def overdue(self, moment: datetime | None, zone: tzinfo) -> Overdue:
        """What should be on the log by now. Of a day that runs nothing is told: it would tell when somebody came."""
        ...
