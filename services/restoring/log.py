"""Our topics read as one log, in order of position: each record checked, whatever contradicts another refused.

Positions have no gaps over all partitions together, so what comes next is known before it is read: it stands at the
front of its home's partition, of every partition where it concerns everybody, and of a partition of alerts too where it
is one. A partition that has ended may lack it, since the relay may have been on its way there. A front that is another
position, or other bytes, is damage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from services.ledger.ledger import Recorded
from services.local.topics import ALERTS, EVENTS, TOPICS
from services.local_problem import LocalProblem
from services.log.clients import connected
from services.log.compiled import CompiledConsumer
from services.log.record import read_link
from services.log.topic import TopicAbsent, look_up_topics
from services.log.walk import Silence, Walk
from services.relay.chain import targets
from services.restoring.damage import Damaged, Hole, OtherHistory
from services.restoring.rows import NotARow, row_of

HELD_BYTES = 64_000_000
"""What is read ahead of all partitions together, so that memory does not grow with the log."""

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Front:
    """A record of ours that was read and not taken yet."""

    offset: int
    position: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class _Lane:
    """One partition's way: what was read of it, and how far its chain goes."""

    at: TopicPartition
    fronts: deque[Front] = field(default_factory=deque)
    held: int = 0
    last: int = 0
    broken: Damaged | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A record that a relay sent twice: the second must be what the first was."""

    at: TopicPartition
    offset: int
    position: int
    sha256: bytes


class KafkaLog:
    """`events.v1` and `alerts.v1` up to where they end when this is made. It blocks; use it in one thread at a time.

    Raises LocalProblem where no broker answers or a topic is absent, Damaged, Hole and OtherHistory.
    """

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._everywhere = [TopicPartition(EVENTS, number) for number in range(partitions)]
        self._alerts = [TopicPartition(ALERTS, number) for number in range(partitions)]
        self.topic_ids, self._reader = _reader(bootstrap, partitions)
        self.foreign = 0
        self.repeats: list[Repeat] = []
        every = [*self._everywhere, *self._alerts]
        try:
            begins, ends = self._reader.beginning_offsets(every), self._reader.end_offsets(every)
            for at in every:
                if begins[at] > 0:
                    raise Damaged(at, begins[at], "what stood before was deleted")
            self._lanes = {at: _Lane(at) for at in every}
            self.records = sum(ends.values())
            """How many records there are to read, our own and others'."""
            self._walk = Walk(self._reader, dict.fromkeys(every, 0), ends, SILENCE_SECONDS)
        except KafkaError as error:
            self.close()
            raise _away(error) from error
        except BaseException:
            self.close()
            raise
        self._most = max(HELD_BYTES // len(every), 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()

    @property
    def read(self) -> int:
        """How many of them were read."""
        return sum(self._walk.offsets.values())

    def take(self, position: int, known: Recorded | None = None) -> Recorded | None:
        """The event at a position, checked in every partition that it goes to; None where the whole log has ended.

        `known` is the ledger's own row, where it has one: Kafka must hold the same, or have ended. Positions are asked
        for one after the other, from 1.
        """
        if known is None:
            found = self._find(position)
            if found is None:
                return None
            row, wire = _row(*found), found[1].value
        else:
            row, wire = known, known.wire()
        key = row.home.encode()
        for at in targets(row.home, row.type, self._everywhere, self._alerts):
            front = self._front(at)
            if front is None:
                continue
            if front.position != position:
                self._refuse_what_came_late(position, at, front)
                raise self._lacking(position, at, front, known)
            if front.value != wire:
                if known is not None:
                    raise OtherHistory(position, at, front.offset, "holds another event there")
                raise Damaged(at, front.offset, f"position {position} is another event in another partition")
            if front.key != key:
                raise Damaged(at, front.offset, f"position {position} has another key than its event's home")
            lane = self._lanes[at]
            lane.fronts.popleft()
            lane.held -= len(front.value)
        return row

    def rest(self) -> Iterator[tuple[TopicPartition, Front]]:
        """All that was not taken, partition by partition. Raises Damaged."""
        for at, lane in self._lanes.items():
            while (front := self._front(at)) is not None:
                lane.fronts.popleft()
                lane.held -= len(front.value)
                yield at, front

    def _lacking(self, position: int, at: TopicPartition, front: Front, known: Recorded | None) -> Exception:
        what = f"goes on with position {front.position} and lacks position {position}, which belongs there"
        if known is not None:
            return OtherHistory(position, at, front.offset, what)
        return Damaged(at, front.offset, f"it {what}")

    def _refuse_what_came_late(self, position: int, at: TopicPartition, front: Front) -> None:
        if front.position < position:
            raise Damaged(at, front.offset, f"position {front.position} belongs to another partition")

    def _find(self, position: int) -> tuple[TopicPartition, Front] | None:
        """Some partition's front that is this position; None where all have ended. Raises Hole and Damaged."""
        while True:
            waits, broken = False, None
            ahead: tuple[TopicPartition, Front] | None = None
            for at, lane in self._lanes.items():
                if not lane.fronts:
                    waits, broken = waits or at in self._walk.under_way, broken or lane.broken
                    continue
                front = lane.fronts[0]
                if front.position == position:
                    return at, front
                self._refuse_what_came_late(position, at, front)
                if ahead is None or front.position < ahead[1].position:
                    ahead = at, front
            if not waits:
                if broken is not None:
                    raise broken
                if ahead is not None:
                    raise Hole(position, ahead[0], ahead[1].offset, ahead[1].position)
                return None
            self._read_on()

    def _front(self, at: TopicPartition) -> Front | None:
        """What comes next in one partition; None where it has ended."""
        lane = self._lanes[at]
        while not lane.fronts and at in self._walk.under_way:
            self._read_on()
        if not lane.fronts and lane.broken is not None:
            raise lane.broken
        return lane.fronts[0] if lane.fronts else None

    def _read_on(self) -> None:
        """Read more of those partitions of which little is held."""
        for at, lane in self._lanes.items():
            (self._walk.hold if lane.held >= self._most else self._walk.go_on)(at)
        try:
            for at, records in self._walk.next().items():
                for record in records:
                    self._hold(self._lanes[at], record)
        except Silence:
            raise LocalProblem(
                f"The broker sends nothing more after {SILENCE_SECONDS:.0f} s: see `intabaza logs kafka`; beginning "
                "again goes on from what was restored."
            ) from None
        except KafkaError as error:
            raise _away(error) from error

    def _hold(self, lane: _Lane, record: Any) -> None:
        if lane.broken is not None:
            return
        link = read_link(record.headers)
        if link is None:
            self.foreign += 1
            return
        value: bytes = record.value or b""
        if link.position <= lane.last:
            self.repeats.append(Repeat(lane.at, record.offset, link.position, sha256(value).digest()))
            return
        if link.previous != lane.last:
            # what stands before it is whole, and is told first
            lane.broken = Damaged(
                lane.at,
                record.offset,
                f"position {link.position} says that {link.previous} stands before it, and {lane.last} does",
            )
            self._walk.leave(lane.at)
            return
        lane.last = link.position
        lane.fronts.append(Front(record.offset, link.position, record.key or b"", value))
        lane.held += len(value)


def _row(at: TopicPartition, front: Front) -> Recorded:
    try:
        row = row_of(front.value)
    except NotARow as error:
        raise Damaged(at, front.offset, f"position {front.position} is no event of ours: {error}") from None
    if row.position != front.position:
        raise Damaged(at, front.offset, f"its header says position {front.position} and its sequence {row.position}")
    return row


def _reader(bootstrap: str, partitions: int) -> tuple[Mapping[str, UUID], KafkaConsumer]:
    servers = bootstrap.split(",")
    try:
        there = look_up_topics(servers, TOPICS, "intabaza-restore")
        for name in TOPICS:
            if name not in there:
                raise TopicAbsent(name, servers)
            if there[name].partitions != partitions:
                raise LocalProblem(
                    f"{name} has {there[name].partitions} partitions and the setting says {partitions}: set "
                    f"INTABAZA_PARTITIONS={there[name].partitions}, then begin again."
                )
        reader = connected(
            CompiledConsumer,
            servers,
            client_id="intabaza-restore",
            group_id=None,
            enable_auto_commit=False,
            bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
            request_timeout_ms=int(CONNECT_SECONDS * 1000),
            max_poll_records=5_000,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )
    except (KafkaError, OSError) as error:
        raise _away(error) from error
    return {name: there[name].topic_id for name in TOPICS}, reader


def _away(error: BaseException) -> LocalProblem:
    return LocalProblem(
        f"Kafka could not be read ({type(error).__name__}: {error}): see `intabaza status`; beginning again goes on "
        "from what was restored."
    )


def differing(repeats: Sequence[Repeat], wires: dict[int, bytes]) -> Repeat | None:
    """The first of some repeats that is not what stands at its position."""
    for repeat in repeats:
        wire = wires.get(repeat.position)
        if wire is None or sha256(wire).digest() != repeat.sha256:
            return repeat
    return None
