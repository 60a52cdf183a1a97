"""The ledger in memory, with the same promises but one: it forgets when the process ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services import clock
from services.ledger.bell import Waiters, in_time
from services.ledger.group import check, placed
from services.ledger.ledger import (
    Accepted,
    ClockDoubtful,
    CommandBurned,
    CommandReused,
    Conflict,
    DoorShut,
    Head,
    HomeChanged,
    KeyDestroyed,
    NotAccepted,
    Placed,
    Recorded,
    Submission,
)

_CLOCKS_MAY_DIFFER = timedelta(minutes=2)
_EVENTS_MAY_BE_APART = timedelta(days=30)


class MemoryLedger:
    """`Ledger` in memory, for tests and trials; it belongs to one event loop.

    `own_clock` stands for the database's clock and `witness` for the caller's; `simulated_from` makes a simulated
    ledger instead. `key_lives` says of a key whether it is there and not destroyed; by default there are no keys.
    """

    def __init__(
        self,
        witness: Callable[[], datetime] = clock.now,
        own_clock: Callable[[], datetime] = clock.now,
        simulated_from: datetime | None = None,
        key_lives: Callable[[UUID], bool] = lambda key_id: False,
    ) -> None:
        self._witness = witness
        self._own_clock = own_clock
        self._simulated_clock = simulated_from
        self._key_lives = key_lives
        self._rows: list[Recorded] = []
        self._streams: dict[str, list[Recorded]] = defaultdict(list)
        self._commands: dict[UUID, tuple[bytes, tuple[Placed, ...]]] = {}
        self._burned: set[UUID] = set()
        self._event_ids: set[UUID] = set()
        self._shut_because: str | None = None
        self._accepted_difference = timedelta(0)
        self._accepted_jump: tuple[int, datetime] | None = None
        self._waiters = Waiters()

    async def append(self, submission: Submission) -> Accepted:
        check(submission)
        earlier = self._commands.get(submission.command_id)
        if earlier is not None:
            mac, answer = earlier
            if mac != submission.command_mac:
                raise CommandReused
            return Accepted(answer, repeated=True)
        recorded_at = self._judge(submission)
        answer = placed(submission, len(self._rows) + 1, recorded_at)
        self._record(submission, answer)
        self._waiters.rise(len(self._rows))
        return Accepted(answer)

    def _judge(self, submission: Submission) -> datetime:
        """Raise why a new command is refused, in the order of `ledger.append`, or say when it is recorded."""
        if submission.command_id in self._burned:
            raise CommandBurned
        if self._shut_because is not None:
            raise DoorShut(self._shut_because)
        now = self._now()
        self._doubt(now)
        if not all(map(self._key_lives, submission.key_ids)):
            raise KeyDestroyed
        for append in submission.appends:
            rows = self._streams.get(append.stream)
            if rows and rows[0].home != append.home:
                raise HomeChanged(append.stream, rows[0].home)
        for append in submission.appends:
            actual = len(self._streams.get(append.stream, ()))
            if actual != append.expected_version:
                raise Conflict(append.stream, append.expected_version, actual)
        event_ids = [entry.event_id for append in submission.appends for entry in append.entries]
        if len(set(event_ids)) < len(event_ids) or not self._event_ids.isdisjoint(event_ids):
            raise NotAccepted("an event id is in the ledger already: ids follow from the command's")
        return max(now, self._rows[-1].recorded_at) if self._rows else now

    def _record(self, submission: Submission, answer: tuple[Placed, ...]) -> None:
        places = iter(answer)
        for append in submission.appends:
            for entry in append.entries:
                place = next(places)
                row = Recorded(
                    place.position,
                    place.stream,
                    place.version,
                    place.event_id,
                    entry.type,
                    append.home,
                    place.recorded_at,
                    submission.command_id,
                    submission.command_mac,
                    entry.body,
                )
                self._rows.append(row)
                self._streams[append.stream].append(row)
                self._event_ids.add(entry.event_id)
        self._commands[submission.command_id] = (submission.command_mac, answer)

    def _now(self) -> datetime:
        return self._own_clock() if self._simulated_clock is None else self._simulated_clock

    def _doubt(self, now: datetime) -> None:
        if self._simulated_clock is not None:
            return
        difference = self._witness() - now
        if min(abs(difference), abs(difference - self._accepted_difference)) > _CLOCKS_MAY_DIFFER:
            raise ClockDoubtful(
                f"the caller's clock differs from the ledger's by {difference.total_seconds():.0f} seconds: set right "
                "the one that is wrong, or confirm the ledger's with `intabaza clock accept`"
            )
        if self._rows and now > self._rows[-1].recorded_at + _EVENTS_MAY_BE_APART:
            if self._accepted_jump is not None:
                head, until = self._accepted_jump
                if head == len(self._rows) and now <= until:
                    return
            raise ClockDoubtful(
                f"the ledger's clock is {(now - self._rows[-1].recorded_at).days} days past the last event: set it "
                "right if it is wrong, or confirm it with `intabaza clock accept`"
            )

    async def ask(self, command_id: UUID) -> Accepted | None:
        known = self._commands.get(command_id)
        if known is None:
            self._burned.add(command_id)
            return None
        return Accepted(known[1], repeated=True)

    async def read_command(self, command_id: UUID) -> Sequence[Recorded]:
        _, answer = self._commands.get(command_id, (b"", ()))
        return [self._rows[place.position - 1] for place in answer]

    async def read_stream(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        return self._streams.get(stream, [])[after_version:]

    async def first_of(self, streams: Collection[str], since: datetime) -> Sequence[Recorded]:
        found = [self._streams[stream][0] for stream in streams if stream in self._streams]
        return [row for row in found if row.recorded_at >= since]

    async def read(self, after_position: int, limit: int = 1000) -> Sequence[Recorded]:
        return self._rows[after_position : after_position + limit]

    async def read_alerts(self, after_position: int, until_position: int, limit: int = 1000) -> Sequence[Recorded]:
        rows = await self.read(after_position, until_position - after_position)
        return [row for row in rows if row.type == "alert.issued" and row.position <= until_position][:limit]

    async def head(self) -> Head:
        return Head(len(self._rows), self._rows[-1].recorded_at if self._rows else None)

    async def wait_for(self, position: int, timeout_seconds: float) -> bool:
        return await in_time(self._waiters.wait_for(position), timeout_seconds)

    async def follow(self, after_position: int) -> AsyncIterator[Sequence[Recorded]]:
        while True:
            await self._waiters.wait_for(after_position + 1)
            rows = await self.read(after_position)
            after_position = rows[-1].position
            yield rows

    async def accept_clock(self) -> None:
        now = self._own_clock()
        difference = self._witness() - now
        self._accepted_difference = difference if abs(difference) > _CLOCKS_MAY_DIFFER else timedelta(0)
        self._accepted_jump = (len(self._rows), now + _EVENTS_MAY_BE_APART)

    async def simulated_clock(self) -> datetime | None:
        return self._simulated_clock

    async def set_clock(self, now: datetime) -> None:
        if self._simulated_clock is None:
            raise NotAccepted("this ledger is real and its clock is its own: only a simulated one is set")
        if now < self._simulated_clock:
            raise NotAccepted(f"the clock stands at {self._simulated_clock} and goes forward only")
        self._simulated_clock = now

    async def shut_door(self, because: str) -> None:
        self._shut_because = because

    async def open_door(self) -> None:
        self._shut_because = None
