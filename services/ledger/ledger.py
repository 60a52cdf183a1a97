"""The port of the ledger: append with expected versions, read back, wait; and what it may answer.

LedgerError
├── NotAccepted           nothing was written
│   ├── Conflict          a stream has moved on since it was read: read again and decide again
│   ├── CommandReused     this command id was accepted with another body
│   ├── CommandBurned     somebody asked about this id while it was absent: take a new id
│   ├── KeyDestroyed      a key that the events are sealed under was destroyed
│   ├── HomeChanged       a stream never leaves its home
│   ├── TooLarge          an event's wire form would pass the limit
│   ├── ClockDoubtful     the clocks differ too much; an operator confirms with `intabaza clock accept`
│   ├── DoorShut          appends are shut until the ledger is restored from Kafka
│   └── LedgerUnavailable the database did not take the append (down, deadlock, rolled back)
└── Unknown               the connection broke before the answer came: try again with the same id
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from events.envelope import SPLICE_VERSION, splice


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to append: `body` is its canonical bytes without `sequence` and `time` (events/envelope)."""

    event_id: UUID
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """Events for one stream that had `expected_version` events when the decision read it (0: none yet).

    No entries at all is an assertion: the append is refused if the stream has moved, and writes nothing there.
    """

    stream: str
    expected_version: int
    home: str
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """One command's appends, all or nothing; every stream that the decision read is named. At least one entry in all.

    `key_ids` are the vault keys that its sealed values name. `mac` is the HMAC of the canonical command.
    """

    command_id: UUID
    command_mac: bytes
    appends: tuple[Append, ...]
    key_ids: frozenset[UUID] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one event of an accepted command stands."""

    position: int
    stream: str
    version: int
    event_id: UUID
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """In Postgres, synced. A repeat answers as the first time, with `repeated` set."""

    placed: tuple[Placed, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the ledger."""

    position: int
    stream: str
    version: int
    event_id: UUID
    type: str
    home: str
    recorded_at: datetime
    command_id: UUID
    command_mac: bytes
    body: bytes
    splice_version: int = SPLICE_VERSION

    def wire(self) -> bytes:
        """The event's wire form, the same bytes at every call, for ever."""
        return splice(self.body, self.position, self.recorded_at, self.splice_version)


@dataclass(frozen=True, slots=True)
class Head:
    """The last position and its recorded_at; position 0 and no time when empty."""

    position: int
    recorded_at: datetime | None


class Ledger(Protocol):
    """The append-only ledger. Positions are gapless and in commit order; no reader sees n+1 before n."""

    async def append(self, submission: Submission) -> Accepted: ...

    async def ask(self, command_id: UUID) -> Accepted | None:
        """Say what became of a command. An absent id is burned under the append lock: its first try, should it still be
        on its way, will be refused."""
        ...

    async def read_command(self, command_id: UUID) -> Sequence[Recorded]:
        """The events of a command, none if it is not in the ledger now; a mere look that burns nothing."""
        ...

    async def read_stream(self, stream: str, after_version: int = 0) -> Sequence[Recorded]: ...

    async def first_of(self, streams: Collection[str], since: datetime) -> Sequence[Recorded]:
        """The first event of each of these streams that began at or after a moment, in no order."""
        ...

    async def read(self, after_position: int, limit: int = 1000) -> Sequence[Recorded]:
        """Read up to `limit` rows after a position, fewer where they are large; none means there are no more."""
        ...

    async def read_alerts(self, after_position: int, until_position: int, limit: int = 1000) -> Sequence[Recorded]:
        """Read what strangers were told after a position and up to another, in order; none means there are no more."""
        ...

    async def head(self) -> Head: ...

    async def wait_for(self, position: int, timeout_seconds: float) -> bool:
        """Wait until the ledger holds this position; False when the time is over."""
        ...

    def follow(self, after_position: int) -> AsyncIterator[Sequence[Recorded]]:
        """Yield batches of rows after a position, for ever, in order and without gaps."""
        ...

    async def accept_clock(self) -> None:
        """An operator confirms that the ledger's clock is right."""
        ...

    async def set_clock(self, now: datetime) -> None:
        """Set a simulated ledger's clock forward; refused on a real one and backwards."""
        ...

    async def simulated_clock(self) -> datetime | None:
        """Where a simulated ledger's clock stands; None for a real one, and before anything was begun."""
        ...

    async def shut_door(self, because: str) -> None:
        """Refuse every append from now on with this sentence; repeats still answer as the first time."""
        ...

    async def open_door(self) -> None: ...


class LedgerError(Exception):
    """The ledger did not answer with `Accepted`."""


class NotAccepted(LedgerError):
    """Nothing was written."""


class Conflict(NotAccepted):
    """A stream has moved on since it was read."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        self.stream, self.expected, self.actual = stream, expected, actual
        super().__init__(f"{stream} is at version {actual}, not {expected}: read it again and decide again")


class CommandReused(NotAccepted):
    """This command id was accepted with another body."""

    def __init__(self) -> None:
        super().__init__("this id was accepted before with another body: send what you sent then, or take a new id")


class CommandBurned(NotAccepted):
    """Somebody asked about this id while it was absent."""

    def __init__(self) -> None:
        super().__init__("this id was asked about before it arrived and can no longer be used: take a new id")


class KeyDestroyed(NotAccepted):
    """A key that the events are sealed under was destroyed or never committed."""

    def __init__(self) -> None:
        super().__init__("a key that seals part of this was destroyed: what it protected is erased")


class HomeChanged(NotAccepted):
    """A stream never leaves its home."""

    def __init__(self, stream: str, home: str) -> None:
        super().__init__(f"{stream} lives in {home} and never leaves it: supersede it there and receive it again here")


class TooLarge(NotAccepted):
    """An event's wire form would pass the limit."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"an event of {size} bytes passes the limit of {limit}: shorten its texts or split it")


class ClockDoubtful(NotAccepted):
    """The clocks differ too much."""


class DoorShut(NotAccepted):
    """Appends are shut until the ledger is restored from Kafka."""


class LedgerUnavailable(NotAccepted):
    """The database did not take the append; nothing was written."""


class Unknown(LedgerError):
    """The connection broke before the answer came; try again with the same id and the ledger tells the truth."""


def unavailable(error: BaseException) -> LedgerUnavailable:
    """The refusal for what the database raised before anything can have been written."""
    return LedgerUnavailable(f"the database did not take it ({str(error) or type(error).__name__}): try again")


def unknown(error: BaseException) -> Unknown:
    """The refusal for what broke after something may have been written."""
    return Unknown(
        f"the connection broke before the answer came ({str(error) or type(error).__name__}): try again, same id"
    )
