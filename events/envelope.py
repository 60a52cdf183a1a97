"""The wire form of an event: CloudEvents 1.0, structured JSON. Nothing else knows it.

A `Draft` becomes canonical bytes without `sequence` and `time`; the ledger stores those bytes and `splice` puts the two
in front, so that the same event is the same bytes for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from events.event import Event
from events.vocabulary import Actor, HomeId, Instant, Mode, Open, Role, wire_time

WIRE_LIMIT_BYTES = 900_000
"""The largest wire form of one event; the topics and the ledger's table use the same number."""

SPLICE_VERSION = 1
"""The version of `splice` that new rows are written for; stored in each row."""

_SPLICED_BYTES = len(b'"sequence":"","time":"",') + 19 + 27
BODY_LIMIT_BYTES = WIRE_LIMIT_BYTES - _SPLICED_BYTES
"""The largest canonical body: what `splice` adds still fits."""

SCHEMA_PREFIX = "urn:intabaza:schema:"

E = TypeVar("E", bound=Event, covariant=True)


class NotAnEvent(ValueError):
    """The bytes are no event of ours: not JSON, not an object, or an envelope attribute is missing or wrong."""


def canonical(value: Any) -> bytes:
    """Canonical JSON of a value: RFC 8785 for what events hold (no floats), keys sorted, UTF-8, no spaces.

    Keys sort by code point, which is RFC 8785's order for every key below U+E000; ours are ASCII. Raises TypeError on a
    float, since two writers may spell one number in two ways.
    """
    _refuse_floats(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


_LEAVES = frozenset({str, int, bool, type(None)})


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical form; events count in integers")
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            if type(part) not in _LEAVES:  # a call for each leaf would cost more than the writing
                _refuse_floats(part)


def splice(body: bytes, position: int, recorded_at: datetime, version: int = SPLICE_VERSION) -> bytes:
    """Return the wire form of a stored body: `sequence` (19 digits) and `time` in front, all else untouched."""
    return splice_at(body, position, wire_time(recorded_at).encode(), version)


def splice_at(body: bytes, position: int, recorded_at: bytes, version: int) -> bytes:
    """The same by a time that is written already, as `wire_time` writes it."""
    if version != 1:
        raise NotAnEvent(f"splice version {version} is not known here; this program is older than the ledger")
    return b'{"sequence":"%019d","time":"%s",' % (position, recorded_at) + body[1:]


_SPLICED = re.compile(rb'\{"sequence":"([0-9]{19})","time":"([0-9T:.Z-]{27})",')


@dataclass(frozen=True, slots=True)
class Unspliced:
    """What was spliced into one wire form: `splice` of these four is its bytes."""

    body: bytes
    position: int
    recorded_at: datetime
    version: int


def unsplice(wire: bytes) -> Unspliced:
    """Take `sequence` and `time` out of a wire form again; raises NotAnEvent where no splice would give these bytes."""
    found = _SPLICED.match(wire)
    if found is None:
        raise NotAnEvent("it does not begin with a sequence of 19 digits and a time of 27 characters")
    try:
        recorded_at = datetime.fromisoformat(found[2].decode())
    except ValueError:
        raise NotAnEvent("its time is none") from None
    apart = Unspliced(b"{" + wire[found.end() :], int(found[1]), recorded_at, SPLICE_VERSION)
    if recorded_at.tzinfo is None or splice(apart.body, apart.position, recorded_at, apart.version) != wire:
        raise NotAnEvent("its sequence and time are not written as they are when an event is recorded")
    return apart


def event_id(command_id: UUID, index: int) -> UUID:
    """The id of a command's index-th event: follows from the command's, so that a repeat makes the same ids."""
    return _uuid8(b"event", command_id.bytes + index.to_bytes(4, "big"))


def named_id(command_id: UUID, name: str) -> UUID:
    """A new thing's id that follows from the command that made it (a report's, a case's, a referral's)."""
    return _uuid8(b"thing", command_id.bytes + name.encode())


def _uuid8(label: bytes, name: bytes) -> UUID:
    digest = bytearray(sha256(b"intabaza:" + label + b":" + name).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


@dataclass(frozen=True, slots=True)
class Draft(Generic[E]):
    """An event that is decided and sealed but has no position yet.

    `stream` is the subject (`report/<id>`), `version` its number in the stream from 1, `home` the Kafka key.
    """

    event_id: UUID
    source: str
    stream: str
    version: int
    home: str
    data: E
    command_id: UUID
    command_mac: bytes
    actor: Actor
    mode: Mode = Mode.ACTUAL
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    engine: int | None = None

    def body(self) -> bytes:
        """Canonical bytes of everything but `sequence` and `time`."""
        attributes: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(self.event_id),
            "source": self.source,
            "type": self.data.name,
            "subject": self.stream,
            "dataschema": f"{SCHEMA_PREFIX}{self.data.name}:{self.data.schema_version}",
            "datacontenttype": "application/json",
            "streamversion": self.version,
            "partitionkey": self.home,
            "commandid": str(self.command_id),
            "commandmac": self.command_mac.hex(),
            "actorrole": self.actor.role.value,
            "actorref": str(self.actor.ref),
            "mode": self.mode.value,
            "data": self.data.wire_data(),
        }
        for name, value in (
            ("correlationid", self.correlation_id),
            ("causationid", self.causation_id),
            ("onbehalfof", self.actor.on_behalf_of),
        ):
            if value is not None:
                attributes[name] = str(value)
        if self.engine is not None:
            attributes["engine"] = self.engine
        return canonical(attributes)


class Envelope(BaseModel, Generic[E]):
    """A recorded event as read back; attributes we do not know are kept.

    `time` is `recorded_at`, the only time that orders; `sequence` the ledger position. It satisfies the eventsourcing
    library's DomainEventProtocol: the originator is the stream.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: str
    id: UUID
    source: str
    type: str
    subject: str
    time: Instant
    dataschema: str
    datacontenttype: str = "application/json"
    sequence: Annotated[str, Field(pattern=r"^[0-9]{19}$")]
    streamversion: Annotated[int, Field(ge=1)]
    partitionkey: HomeId
    correlationid: UUID | None = None
    causationid: UUID | None = None
    commandid: UUID
    commandmac: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    actorrole: Open[Role]
    actorref: UUID
    onbehalfof: UUID | None = None
    engine: int | None = None
    mode: Open[Mode] = Mode.ACTUAL
    data: E

    @property
    def originator_id(self) -> str:
        return self.subject

    @property
    def originator_version(self) -> int:
        return self.streamversion

    @property
    def position(self) -> int:
        return int(self.sequence)

    @property
    def recorded_at(self) -> datetime:
        return self.time
