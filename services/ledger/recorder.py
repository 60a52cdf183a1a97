"""The eventsourcing library on our ledger: `PERSISTENCE_MODULE=services.ledger.recorder`, `LEDGER_DSN=postgresql://…`.

An application written as the library's documentation shows keeps its events here, each in a valid envelope, so that the
relay, auditors and replays treat them as any other. Three of our rules bind it:

- names on the wire are ours: aggregates and events state a `TOPIC`; a Python path is refused;
- a stream's versions have no gaps (they may begin at 0 or 1, as the library's do);
- what is no event has no place in the ledger: snapshots, tracking records and process recorders are refused.

Several applications may share a ledger: each sees its own streams, under its own name, and notification ids are ledger
positions. `LEDGER_HOME` says under which home its events travel; `ORIGINATOR_ID_TYPE` is `uuid` or `text`.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode, b64encode
from collections.abc import Coroutine, Sequence
from functools import lru_cache
from threading import Thread
from typing import Any, ClassVar, NoReturn, TypeVar
from uuid import UUID, uuid4

import orjson
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    NotSupportedError,
    OperationalError,
    ProcessRecorder,
    ProgrammingError,
    StoredEvent,
    TrackingRecorder,
)

from events.envelope import Draft, event_id
from events.event import Event
from events.vocabulary import Actor, Role
from services import clock
from services.ledger.ledger import Append, Conflict, Entry, Ledger, LedgerError, Recorded, Submission, Unknown
from services.ledger.postgres import PostgresLedger

T = TypeVar("T")

SOURCE = "urn:intabaza:library"
RETRIES_WHEN_UNKNOWN = 5
READ_ROWS = 500

_PYTHON_PATH_IN_STATE = re.compile(rb'"originator_topic":"[^"]*:')
_ACTOR = Actor(role=Role.SYSTEM, ref=UUID(int=0))


class LibraryEvent(Event):
    """The data of one stored event of the library; its wire name is the stored topic."""

    name: ClassVar[str] = "library.stored"
    originator_version: int
    state: str


@lru_cache(maxsize=1024)
def _named(topic: str) -> type[LibraryEvent]:
    if ":" in topic:
        raise ProgrammingError(
            f"{topic!r} is a Python path, and what is on the wire must outlive our modules: give the class a stable "
            "TOPIC (`@event(…, topic=…)`, or `register_topic`)"
        )
    return type("NamedLibraryEvent", (LibraryEvent,), {"name": topic, "__module__": __name__})


class LoopThread:
    """An event loop in a thread of its own: the library is synchronous, the ledger is not."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="ledger of the library", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def begin(self, work: Coroutine[Any, Any, None]) -> Any:
        """Start work that goes on; the future that comes back can be cancelled."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class LedgerAggregateRecorder(AggregateRecorder):
    """Stored events of one application in the ledger's streams `<application>/<originator id>`."""

    def __init__(
        self, ledger: Ledger, thread: LoopThread, application: str, home: str, originators_are_uuids: bool = True
    ) -> None:
        self.ledger = ledger
        self.thread = thread
        self._prefix = f"{application}/"
        self._home = home
        self._originators_are_uuids = originators_are_uuids

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        self._insert(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = self.thread.run(self.ledger.read_stream(f"{self._prefix}{originator_id}"))
        stored = [
            event
            for event in map(self._stored_event, rows)
            if (gt is None or event.originator_version > gt) and (lte is None or event.originator_version <= lte)
        ]
        return (stored[::-1] if desc else stored)[:limit]

    def _insert(self, stored_events: Sequence[StoredEvent]) -> list[int]:
        if not stored_events:
            return []
        for event in stored_events:
            _named(event.topic)
            if _PYTHON_PATH_IN_STATE.search(event.state):
                raise ProgrammingError(
                    f"the state of {event.topic!r} names its aggregate by a Python path: give the aggregate a TOPIC"
                )
        return self.thread.run(self._append(stored_events))

    async def _append(self, stored_events: Sequence[StoredEvent]) -> list[int]:
        """Append, and again with the same id while the answer is unknown; positions in the order of the events."""
        streams: dict[str, list[StoredEvent]] = {}
        for event in stored_events:
            streams.setdefault(f"{self._prefix}{event.originator_id}", []).append(event)
        for stream, events in streams.items():
            versions = [event.originator_version for event in events]
            if versions != list(range(versions[0], versions[0] + len(versions))):
                raise IntegrityError(f"versions {versions} of {stream} do not follow each other without gaps")
        from_zero = {stream for stream, events in streams.items() if events[0].originator_version == 0}
        while True:
            submission = self._submission(streams, from_zero)
            try:
                placed = await self._until_known(submission)
            except Conflict as conflict:
                if (
                    await self._began_at_zero(conflict, streams[conflict.stream][0])
                    and conflict.stream not in from_zero
                ):
                    from_zero.add(conflict.stream)
                    continue
                raise IntegrityError(str(conflict)) from conflict
            except LedgerError as error:
                raise OperationalError(str(error)) from error
            return [placed[f"{self._prefix}{event.originator_id}", event.originator_version] for event in stored_events]

    async def _until_known(self, submission: Submission) -> dict[tuple[str, int], int]:
        for attempt in range(RETRIES_WHEN_UNKNOWN + 1):
            try:
                accepted = await self.ledger.append(submission)
            except Unknown:
                if attempt == RETRIES_WHEN_UNKNOWN:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
            else:
                entries = [entry for append in submission.appends for entry in append.entries]
                return {
                    (place.stream, orjson.loads(entry.body)["data"]["originator_version"]): place.position
                    for place, entry in zip(accepted.placed, entries, strict=True)
                }
        raise AssertionError

    async def _began_at_zero(self, conflict: Conflict, first: StoredEvent) -> bool:
        """Whether a refused append only failed because its stream counts from 0 and was taken to count from 1."""
        if conflict.actual != first.originator_version or conflict.actual == 0:
            return False
        rows = await self.ledger.read_stream(conflict.stream)
        return self._stored_event(rows[0]).originator_version == 0

    def _submission(self, streams: dict[str, list[StoredEvent]], from_zero: set[str]) -> Submission:
        command_id = uuid4()
        appends = []
        count = 0
        for stream, events in streams.items():
            expected = events[0].originator_version - (0 if stream in from_zero else 1)
            entries = []
            for version, event in enumerate(events, expected + 1):
                draft = Draft(
                    event_id=event_id(command_id, count),
                    source=SOURCE,
                    stream=stream,
                    version=version,
                    home=self._home,
                    data=_named(event.topic)(
                        originator_version=event.originator_version, state=b64encode(event.state).decode()
                    ),
                    command_id=command_id,
                    command_mac=command_id.bytes * 2,
                    actor=_ACTOR,
                )
                count += 1
                entries.append(Entry(draft.event_id, event.topic, draft.body()))
            appends.append(Append(stream, expected, self._home, tuple(entries)))
        return Submission(command_id, command_id.bytes * 2, tuple(appends))

    def _stored_event(self, row: Recorded) -> StoredEvent:
        return StoredEvent(*self._columns(row))

    def _columns(self, row: Recorded) -> tuple[UUID | str, int, str, bytes]:
        data = orjson.loads(row.body)["data"]
        name = row.stream.removeprefix(self._prefix)
        originator_id = UUID(name) if self._originators_are_uuids else name
        return originator_id, data["originator_version"], row.type, b64decode(data["state"])


class LedgerApplicationRecorder(LedgerAggregateRecorder, ApplicationRecorder):
    """The same, and the application's notification log: its own events in order of ledger position."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return self._insert(stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        return self.thread.run(self._notifications(max(after, 0), limit, stop, frozenset(topics)))

    async def _notifications(
        self, after: int, limit: int, stop: int | None, topics: frozenset[str]
    ) -> list[Notification]:
        found: list[Notification] = []
        while rows := await self.ledger.read(after, READ_ROWS):
            for row in rows:
                if len(found) == limit or (stop is not None and row.position > stop):
                    return found
                if row.stream.startswith(self._prefix) and (not topics or row.type in topics):
                    found.append(Notification(*self._columns(row), id=row.position))
            after = rows[-1].position
        return found

    def max_notification_id(self) -> int | None:
        """The ledger's head, or None while it is empty; another application's event may stand there."""
        return self.thread.run(self.ledger.head()).position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> ListenNotifySubscription[ApplicationRecorder]:
        return LedgerSubscription(self, gt, topics)


class LedgerSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Notifications as they come; the ledger's bell rings it."""

    def __init__(self, recorder: LedgerApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._ringing = recorder.thread.begin(self._ring(recorder.ledger))

    async def _ring(self, ledger: Ledger) -> None:
        while True:
            position = (await ledger.head()).position
            self._has_been_notified.set()
            await ledger.wait_for(position + 1, timeout_seconds=60)

    def stop(self) -> None:
        super().stop()
        ringing = getattr(self, "_ringing", None)  # the pulling thread may stop us while we are still being made
        if ringing is not None:
            ringing.cancel()


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Recorders for one application, on one ledger that is connected when the first is asked for."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._thread: LoopThread | None = None
        self._ledger: PostgresLedger | None = None

    def aggregate_recorder(self, purpose: str = "events") -> LedgerAggregateRecorder:
        if purpose != "events":
            _refuse(f"{purpose} are no events: the ledger keeps what happened for ever and everything else is rebuilt")
        return LedgerAggregateRecorder(*self._place())

    def application_recorder(self) -> LedgerApplicationRecorder:
        return LedgerApplicationRecorder(*self._place())

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        _refuse("where a reader stands is no event: a projection keeps its watermark beside its rows")

    def process_recorder(self) -> ProcessRecorder:
        _refuse("where a reader stands is no event: a processor appends last in its watermark's own transaction")

    def close(self) -> None:
        if self._thread is not None and self._ledger is not None:
            self._thread.run(self._ledger.close())
            self._thread.stop()
        self._thread = self._ledger = None

    def _place(self) -> tuple[Ledger, LoopThread, str, str, bool]:
        dsn = self.env.get("LEDGER_DSN")
        if not dsn:
            raise InfrastructureFactoryError("LEDGER_DSN is missing: set it to the ledger's database, as intabaza_app")
        if self._thread is None or self._ledger is None:
            thread = LoopThread()
            try:
                self._ledger = thread.run(PostgresLedger.connect(dsn, clock.now))
            except LedgerError as error:
                thread.stop()
                raise OperationalError(str(error)) from error
            self._thread = thread
        return (
            self._ledger,
            self._thread,
            self.env.name.lower() or "library",
            self.env.get("LEDGER_HOME", "library"),
            self.env.get("ORIGINATOR_ID_TYPE", "uuid") == "uuid",
        )


def _refuse(sentence: str) -> NoReturn:
    raise NotSupportedError(sentence)
