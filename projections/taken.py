"""An event as a fold takes it: decoded once for all folds of a worker, only what they read, nothing validated.

The door validated it; reading it again with pydantic would cost more than the rest of a fold. Times stay text: the wire
spells an instant in one way (events/vocabulary.wire_time), so that order of text is order of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from events.catalogue import EVENTS
from events.envelope import SCHEMA_PREFIX, NotAnEvent
from events.upcasts import UPCASTS, lift
from events.vocabulary import EVERY_HOME

_NEWEST = {f"{SCHEMA_PREFIX}{name}:{event.schema_version}" for name, event in EVENTS.items()}
DERIVED = frozenset(name for name, event in EVENTS.items() if event.derived)


@dataclass(slots=True)
class Taken:
    """One event. `data` is its newest version; `fault` says why it cannot be read, and `data` is empty then.

    Nothing changes one. It is no tuple with names, as folds read each attribute many times and slots are read faster,
    and not frozen, which would cost each event more than reading it.
    """

    position: int
    time: str
    stream: str
    version: int
    type: str
    home: str
    mode: str
    role: str
    actor: str
    data: dict[str, Any]
    fault: str | None = None

    @property
    def is_broadcast(self) -> bool:
        return self.home == EVERY_HOME


def take(wire: bytes) -> Taken:
    """Decode one record of ours.

    A type or version that this program does not know comes back with its `fault`, so that its key can be parked.
    Raises NotAnEvent for bytes that are no envelope at all.
    """
    try:
        a = orjson.loads(wire)
        schema, data = a["dataschema"], a["data"]
        fault = None
        if schema not in _NEWEST:
            data, fault = _lifted(a["type"], schema, data)
        return Taken(
            int(a["sequence"]),
            a["time"],
            a["subject"],
            a["streamversion"],
            a["type"],
            a["partitionkey"],
            a["mode"],
            a["actorrole"],
            a["actorref"],
            data,
            fault,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise NotAnEvent(f"no envelope of ours: {type(error).__name__}: {error}") from None


def _lifted(name: str, schema: str, data: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    event = EVENTS.get(name)
    if event is None:
        return {}, f"type {name[:80]!r} is in no catalogue of this program: update it"
    number = schema.removeprefix(f"{SCHEMA_PREFIX}{name}:")
    if not number.isdecimal() or not 1 <= int(number) <= event.schema_version:
        return {}, f"{name} has schema {schema[:120]!r}, this program knows up to {event.schema_version}: update it"
    try:
        return lift(name, int(number), event.schema_version, data, UPCASTS), None
    except Exception as error:  # what an old version lacks is poison for its key, never for the worker
        return {}, f"{name} {number} cannot be lifted: {type(error).__name__}"
