"""One process reads some partitions to their ends: chains, order, places, and the leaf of each position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from kafka import TopicPartition

from events.alert import AlertIssued
from events.vocabulary import EVERY_HOME
from services.audit.findings import MOST_SHOWN, Bad, Found, Progress
from services.audit.in_order import reader
from services.audit.slots import ALERT, EVERYWHERE, Slots
from services.local.topics import EVENTS
from services.local_problem import LocalProblem
from services.log.partition import partition_of
from services.log.record import CONTENT_TYPE, decimal, read_link
from services.log.walk import Silence, Walk
from services.processors.collecting import collect_rarely
from services.tlog.offline.verify import CHECKPOINTED

FETCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KafkaShare:
    """Partitions with the offsets after their last records; `partitions` is how many a topic has. No position is above
    `most`, as each stands in a record."""

    number: int
    bootstrap: str
    ends: dict[TopicPartition, int]
    partitions: int
    most: int
    folder: Path

    @property
    def slots(self) -> Path:
        return self.folder / f"kafka-{self.number}.slots"

    @property
    def found(self) -> Path:
        return self.folder / f"kafka-{self.number}.found"


def read_partitions(share: KafkaShare) -> None:
    """Read a share, and leave slots and what was found. Raises LocalProblem where the broker stops sending."""
    collect_rarely()
    found = Found()
    progress = Progress(share.folder / "progress", share.number)
    with Slots(share.slots) as slots:
        lanes = {at: _Lane(at, end, share, slots, found) for at, end in share.ends.items() if end}
        if lanes:
            _read(share.bootstrap, lanes, found, progress)
        found.bad = [lane.bad for lane in lanes.values() if lane.bad is not None]
        found.last = max((lane.reached for lane in lanes.values()), default=0)
    found.write(share.found)


def _read(bootstrap: str, lanes: Mapping[TopicPartition, _Lane], found: Found, progress: Progress) -> None:
    """Give each lane its records up to its end, whichever come first; there is at least one lane."""
    consumer = reader(bootstrap, max_partition_fetch_bytes=FETCH_BYTES)
    try:
        walk = Walk(consumer, dict.fromkeys(lanes, 0), {at: lane.end for at, lane in lanes.items()})
        while walk.under_way:
            for at, records in walk.next().items():
                found.records += len(records)
                lanes[at].take(records)
            progress.tell(found.records)
    except Silence as error:
        raise LocalProblem(f"The broker sends nothing of {error}: see `intabaza logs kafka`.") from error
    finally:
        consumer.close()


class _Lane:
    """One partition, read from its beginning; only its first fault is kept, as the others mostly follow from it."""

    def __init__(self, at: TopicPartition, end: int, share: KafkaShare, slots: Slots, found: Found) -> None:
        self.at, self.end = at, end
        self.bad: Bad | None = None
        self.last = self.reached = 0
        self._partitions, self._most, self._slots, self._found = share.partitions, share.most, slots, found
        self._events = at.topic == EVENTS
        self._streams: dict[str, int] = {}

    def take(self, records: Sequence[Any]) -> None:
        """The next records, in order."""
        before = ("previous", b"%d" % self.last)
        for record in records:
            headers = record.headers
            if len(headers) == 3 and headers[2] == before and headers[0] == CONTENT_TYPE:
                name, text = headers[1]
                if name == "position" and (position := decimal(text)) is not None and position > self.last:
                    before = ("previous", text)
                    self.last = position
                    self._judge(position, record)
                    continue
            self._unusual(record)
            before = ("previous", b"%d" % self.last)

    def _unusual(self, record: Any) -> None:
        """A record that does not simply follow: foreign, a repeat, or where the chain is broken."""
        found, link = self._found, read_link(record.headers)
        if link is None:
            found.foreign_records += 1
            if len(found.foreign) < MOST_SHOWN:
                found.foreign.append(f"{self.at.topic} partition {self.at.partition} offset {record.offset}")
        elif link.position <= self.last:
            found.repeats += 1
            if (
                link.position <= self._most
                and self._slots[link.position].leaf != sha256(b"\0" + (record.value or b"")).digest()
            ):
                self._fault(
                    link.position, record, "repeats it with other bytes, or for the first time behind later ones"
                )
        else:
            follows = f"says that {link.previous} stands before it, and {self.last} does"
            # what is missing is the one that it names, what was put in the one that stands there instead
            self._fault(max(link.previous, self.last), record, follows)
            self.last = link.position
            self._judge(link.position, record)

    def _fault(self, position: int, record: Any, what: str) -> None:
        if self.bad is None or position < self.bad.position:
            where = f"{self.at.topic} partition {self.at.partition} offset {record.offset}"
            self.bad = Bad(position, f"{where} {what}")

    def _judge(self, position: int, record: Any) -> None:
        if position > self._most:
            self._fault(position, record, "states it, and there are not so many records")
            return
        self.reached = position
        value = record.value or b""
        if value[:42] != b'{"sequence":"%019d","time":"' % position:
            self._fault(position, record, "has another sequence in the event than in its header")
        try:
            event = orjson.loads(value)
            home, stream, of_type = event["partitionkey"], event["subject"], event["type"]
            flags = EVERYWHERE * (home == EVERY_HOME) + ALERT * (of_type == AlertIssued.name)
            due = self._streams.get(stream, 0) + 1
            where = self.at.partition if flags & EVERYWHERE else partition_of(home, self._partitions)
            if (record.key or b"").decode() != home or where != self.at.partition:
                self._fault(position, record, f"is under the key {record.key!r}, and its event is of {home}")
            if not self._events and not flags & ALERT:
                self._fault(position, record, f"is a {of_type} among the alerts")
            elif self._events and event["streamversion"] != due:
                self._fault(position, record, f"is number {event['streamversion']} of {stream}, where {due} is due")
            self._streams[stream] = event["streamversion"]
            if self._events and of_type == CHECKPOINTED:
                self._found.notes.append((position, str(event["data"]["note"])))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            flags = 0
            self._fault(position, record, "holds no event of ours")
        leaf, moment = sha256(b"\0" + value).digest(), value[42:69].ljust(27)
        there = self._slots[position]
        if (there.copies or there.alerts) and there.leaf != leaf:
            self._fault(position, record, "holds other bytes than another partition does at the same position")
            return
        events = self._events
        self._slots[position] = leaf, moment, flags, there.copies + events, there.alerts + (not events)
