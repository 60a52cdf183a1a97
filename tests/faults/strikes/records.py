"""A stranger writes to our topics with a client of their own, and a later release writes what no fold here can take.

Repeats and foreign records are passed over by every reader. A record that is ours by its headers and was never in the
ledger is no fault but a forgery: who may write to a topic is for the broker's rights to say.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from kafka import KafkaProducer, TopicPartition

from events.envelope import canonical, named_id
from projections.live import LIVE
from projections.sql import named_queries
from services.ledger.ledger import Append, Entry, Placed, Submission
from services.ledger.postgres import PostgresLedger
from services.local.topics import EVENTS
from services.log.compiled import CompiledConsumer
from services.log.partition import partition_of
from services.log.record import CONTENT_TYPE, read_link
from tests.faults.cast import ADMIN
from tests.faults.strikes import Strike
from tests.faults.world import LOOK_SECONDS, NotCalm, World, until
from tests.faults.world import SQL as WORLD
from tests.support import odd_records
from tests.support.odd_records import TOLD

SQL = named_queries("tests.faults.strikes", "records.sql")

ANSWER_SECONDS = 30
BETWEEN_SECONDS = 0.05
"""Between two records of a stranger: the relay sends there too."""
MOST_READ = 400
MOST_PUT = 25
TOGETHER_MILLISECONDS = 200
IN_ONE = 4
"""Records in one transaction."""
COME_SECONDS = 120.0
LARGE_BYTES = 900_000
BEFORE_ALL_YEARS = -9_000_000_000_000_000
"""A moment, in milliseconds since 1970, that no calendar has."""
NAMES = ["content-type", "position", "previous"]
STRANGER = UUID("5f0a3c1e-9b7d-4e26-8c41-d2f6a7b80e11")


class Put(NamedTuple):
    """One record as somebody puts it on a topic."""

    at: TopicPartition
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    sent_at: int | None = None
    """In milliseconds since 1970, as its sender says; None is now."""


def _read(bootstrap: str, at: TopicPartition, dice: random.Random) -> list[Put]:
    """Some of what is ours in a partition, from anywhere in it on."""
    return _read_from(
        bootstrap, at, lambda end: dice.choice((0, max(0, end - MOST_READ), dice.randrange(end) if end else 0))
    )


def last_of_ours(bootstrap: str, at: TopicPartition) -> int | None:
    """The position with which a partition ends, whatever strangers put behind it."""
    return max(map(_position, _read_from(bootstrap, at, lambda end: max(0, end - MOST_READ))), default=None)


def _read_from(bootstrap: str, at: TopicPartition, begin: Callable[[int], int]) -> list[Put]:
    """What is ours in a partition, from where `begin` says given its end."""
    with closing(CompiledConsumer(bootstrap_servers=bootstrap, group_id=None)) as consumer:
        consumer.assign([at])
        end = consumer.end_offsets([at])[at]
        consumer.seek(at, begin(end))
        found: list[Put] = []
        deadline = time.monotonic() + ANSWER_SECONDS
        while len(found) < MOST_READ and consumer.position(at) < end and time.monotonic() < deadline:
            for record in consumer.poll(timeout_ms=500).get(at, ()):
                found.append(Put(at, record.key, record.value, tuple(record.headers)))
        return [one for one in found if _is_ours(one)]


def _put(bootstrap: str, records: Sequence[Put]) -> None:
    """Put them there one by one, each acknowledged before the next."""
    with closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all", retries=0)) as producer:
        for one in records:
            _send(producer, one).get(ANSWER_SECONDS)
            time.sleep(BETWEEN_SECONDS)


def _put_packed(bootstrap: str, records: Sequence[Put]) -> None:
    """Put them there all at once, those of a partition in one batch, which is packed."""
    asked = {"acks": "all", "retries": 0, "compression_type": "gzip", "linger_ms": TOGETHER_MILLISECONDS}
    with closing(KafkaProducer(bootstrap_servers=bootstrap, **asked)) as producer:
        for coming in [_send(producer, one) for one in records]:
            coming.get(ANSWER_SECONDS)


def _send(producer: KafkaProducer, one: Put) -> Any:
    return producer.send(one.at.topic, one.value, one.key, list(one.headers), one.at.partition, one.sent_at)


def _put_in_transactions(bootstrap: str, records: Sequence[Put], dice: random.Random) -> None:
    """Put them there a few at a time, in transactions of which about half are aborted: none of our readers minds that,
    and each leaves a marker that has an offset and is no record."""
    name = f"stranger-{dice.getrandbits(64):x}"
    with closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all", transactional_id=name)) as producer:
        producer.init_transactions()
        for begin in range(0, len(records), IN_ONE):
            producer.begin_transaction()
            for one in records[begin : begin + IN_ONE]:
                _send(producer, one)
            producer.flush(ANSWER_SECONDS)
            if dice.random() < 0.5:
                producer.abort_transaction()
            else:
                producer.commit_transaction()


async def places(world: World) -> list[TopicPartition]:
    """Every partition that the relay fills."""
    return [TopicPartition(row["topic"], row["partition"]) for row in await world.rows(SQL["places"])]


def _told(put: Sequence[Put], *, ours: bool) -> list[tuple[str, int, int | None]]:
    """As the history tells it: where, and which position is repeated, if any."""
    return [(one.at.topic, one.at.partition, _position(one) if ours else None) for one in put]


def _position(one: Put) -> int:
    return int(dict(one.headers)["position"])


def _is_ours(one: Put) -> bool:
    """Whether the relay wrote it, or somebody byte for byte the same."""
    return [name for name, _ in one.headers] == NAMES and read_link(one.headers) is not None


def _stretch(records: Sequence[Put], dice: random.Random) -> list[Put]:
    """Some that follow each other, in their order."""
    begin = dice.randrange(len(records))
    return list(records[begin : begin + dice.randint(1, 12)])


def _out_of_turn(records: Sequence[Put], dice: random.Random) -> list[Put]:
    """The last one first, then others in any order, some of them twice."""
    return [records[-1], *dice.choices(records, k=dice.randint(2, 11))]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Put there again, byte for byte, what partitions hold already."""

    how: str
    pick: Callable[[Sequence[Put], random.Random], list[Put]]
    in_transactions: bool = False

    @property
    def name(self) -> str:
        return f"records_{self.how}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        put: list[Put] = []
        everywhere = await places(world)
        for at in dice.sample(everywhere, len(everywhere)):
            if records := await asyncio.to_thread(_read, world.bootstrap, at, dice):
                put += self.pick(records, dice)
            if len(put) >= MOST_PUT:
                break
        assert put, "no partition holds anything that could be repeated"
        if self.in_transactions:
            await asyncio.to_thread(_put_in_transactions, world.bootstrap, put, dice)
        else:
            await asyncio.to_thread(_put, world.bootstrap, put)
        return {"records": len(put), "put": _told(put, ours=True)}


def _foreign(real: Put, dice: random.Random) -> list[Put]:
    """Records that are not ours by their headers, though some of them nearly are."""
    stated = dict(real.headers)
    position, previous, next_one = stated["position"], stated["previous"], b"%d" % (int(stated["position"]) + 1)

    def of(*headers: tuple[str, bytes], **changes: Any) -> Put:
        return real._replace(headers=headers, **changes)

    def linked(says: bytes, follows: bytes) -> Put:
        return of(CONTENT_TYPE, ("position", says), ("previous", follows))

    return [
        of(),
        of(key=None, value=b"{}"),
        of(value=None),  # a tombstone for a home
        of(value=b""),
        of(key=b""),
        of(key=dice.randbytes(LARGE_BYTES)),
        of(sent_at=0),
        of(sent_at=BEFORE_ALL_YEARS),
        of(key=b"\xff\x00", value=dice.randbytes(dice.randint(1, 9_000))),
        of(("position", position)),
        of(CONTENT_TYPE, ("position", next_one)),
        of(*real.headers, ("traceparent", b"00-0-0-00")),
        of(CONTENT_TYPE, ("Position", next_one), ("Previous", position)),
        of(CONTENT_TYPE, ("position", next_one), ("position", position)),
        of(("content-type", b"text/plain"), ("position", next_one), ("previous", position)),
        linked(b"next", position),
        linked(b"", position),
        linked(b"-1", position),
        linked(b"+" + next_one, position),
        linked(b"0" + next_one, position),
        linked(next_one + b".0", position),
        linked("\u0663".encode(), position),
        linked(b"9" * 20, position),
        linked(next_one, b"none"),
        linked(previous, position),  # it would stand before what it follows
        linked(position, position),
    ]


def _under_names_that_are_no_text(real: Put) -> list[Put]:
    """To a broker a header's name is bytes, and many a client reads no further where they are no text."""
    content_type, position, previous = real.headers
    return [
        real._replace(headers=headers)
        for headers in ([(TOLD, b"x")], [content_type, (TOLD, position[1]), previous], [*real.headers, (TOLD, b"")])
    ]


async def _put_as_they_are(bootstrap: str, records: Sequence[Put]) -> None:
    """Put them into one partition, in one batch that no client would write."""
    batch = odd_records.batch_of([(one.key, one.value or b"", one.headers) for one in records])
    await odd_records.put(bootstrap, records[0].at, batch)


@dataclass(frozen=True, slots=True)
class Foreign:
    """Put there what is none of ours, on every partition some of it: one by one, packed, and under names of headers
    that are no text."""

    name: str = "records_foreign"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        alone: list[Put] = []
        packed: list[Put] = []
        unnamed: list[list[Put]] = []
        for at in await places(world):
            if records := await asyncio.to_thread(_read, world.bootstrap, at, dice):
                foreign = _foreign(records[-1], dice)
                alone += dice.sample(foreign, 5)
                # what the broker unpacks it writes anew, and of no moment before 1970
                packed += dice.sample([one for one in foreign if one.sent_at != BEFORE_ALL_YEARS], 3)
                unnamed.append(_under_names_that_are_no_text(records[-1]))
        dice.shuffle(alone)
        await asyncio.to_thread(_put, world.bootstrap, alone)
        await asyncio.to_thread(_put_packed, world.bootstrap, packed)
        for some in unnamed:
            await _put_as_they_are(world.bootstrap, some)
        put = [*alone, *packed, *(one for some in unnamed for one in some)]
        return {"records": len(put), "put": _told(put, ours=False)}


LATER: Mapping[str, tuple[str, int, Mapping[str, object]]] = {
    "type": ("case.mediated", 1, {"by": "umushingantahe"}),
    "version": ("case.opened", 9, {"places": ["bi:c2015:mpanda"], "kinds": ["violence"]}),
    "content": ("case.opened", 1, {}),
}
"""What a release to come, or a mistaken hand, may write: a type, a version or a content that no fold here can take."""


@dataclass(frozen=True, slots=True)
class Poison:
    """An event rightly in the ledger and in its turn on Kafka, which folds cannot take; a person waives it.

    It stands in a home where others work: that home's level waits with all that follows, and catches up.
    """

    name: str = "records_poison"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        what = dice.choice(sorted(LATER))
        there = await until("nobody opened a case", lambda: world.rows(SQL["homes"]), COME_SECONDS)
        home = dice.choice([row["home"] for row in there])
        placed = await _append(world, dice, home, *LATER[what])
        events = [at for at in await places(world) if at.topic == EVENTS]
        await _until(world, lambda: _behind(world, partition_of(home, len(events)), placed.position))
        parked = [row for row in await world.rows(WORLD["parked"]) if row["position"] == placed.position]
        assert parked, f"every fold took position {placed.position}, which none of them can know"
        await self._refuses_to_resume(world, *parked[0])
        why = ("--why", "unreadable", "--phone", ADMIN.phone)
        await asyncio.gather(
            *(world.command("parked", "waive", place, key, str(position), *why) for place, key, position in parked)
        )
        await _until(world, lambda: world.rows(WORLD["parked"]))
        waivers = [dict(row) for row in await world.rows(SQL["waivers"], placed.position)]
        assert len(waivers) == len(parked), f"{len(parked)} were parked and {len(waivers)} waived"
        poison = {"id": str(placed.event_id), "position": placed.position}
        return {"what": what, "position": placed.position, "waived": len(waivers), "wrote": [poison, *waivers]}

    async def _refuses_to_resume(self, world: World, place: str, key: str, position: int) -> None:
        """Nothing is passed over as long as nobody says so."""
        listed = await asyncio.to_thread(world.stack.command, "parked", "list")
        assert listed.returncode == 1, f"`intabaza parked list` said: {listed.stdout}{listed.stderr}"
        assert f"position {position}: " in listed.stdout, f"`intabaza parked list` said: {listed.stdout}{listed.stderr}"
        tried = await asyncio.to_thread(world.stack.command, "parked", "resume", place, key)
        assert tried.returncode == 1, f"it goes on: {tried.stdout}{tried.stderr}"
        assert "still cannot take" in tried.stderr, f"`intabaza parked resume` said: {tried.stdout}{tried.stderr}"


async def _append(
    world: World, dice: random.Random, home: str, kind: str, number: int, data: Mapping[str, object]
) -> Placed:
    """One event in a stream of its own, by the door that every writer of the ledger has."""
    its_id = named_id(STRANGER, str(dice.getrandbits(128)))
    stream = f"case/{its_id}"
    body = canonical(
        {
            "id": str(its_id), "source": world.stack.settings.source, "subject": stream, "streamversion": 1,
            "type": kind, "partitionkey": home, "commandid": str(its_id), "correlationid": str(its_id),
            "mode": "actual", "dataschema": f"urn:intabaza:schema:{kind}:{number}", "specversion": "1.0",
            "actorrole": "admin", "actorref": str(world.people[ADMIN.name]), "data": dict(data),
        }
    )  # fmt: skip
    submission = Submission(its_id, sha256(body).digest(), (Append(stream, 0, home, (Entry(its_id, kind, body),)),))
    ledger = await PostgresLedger.connect(world.dsn("app"), world.now)
    try:
        return (await ledger.append(submission)).placed[0]
    finally:
        await ledger.close()


async def _behind(world: World, partition: int, position: int) -> Sequence[object]:
    """Projections that have not come to it, or past it."""
    return await world.rows(WORLD["behind"], [one.name for one in LIVE], [partition], [position])


async def _until(world: World, missing: Callable[[], Awaitable[Sequence[object]]]) -> None:
    """Wait until nothing is missing."""
    deadline = time.monotonic() + COME_SECONDS
    while left := await missing():
        if time.monotonic() > deadline:
            raise NotCalm(f"After {COME_SECONDS:g} s there is still {list(left)}")
        await asyncio.sleep(LOOK_SECONDS)


STRIKES: tuple[Strike, ...] = (
    Repeat("repeated", _stretch),
    Repeat("out_of_turn", _out_of_turn),
    Repeat("in_transactions", _stretch, in_transactions=True),
    Foreign(),
    Poison(),
)
