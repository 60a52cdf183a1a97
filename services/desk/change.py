"""What was decided: events for one stream each, not sealed yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from events.event import Event
from events.vocabulary import Actor
from services.vault.keys import DataKey, Need
from services.vault.sealing import Unsealed


@dataclass(frozen=True, slots=True)
class Change:
    """Decided events for one stream, and under which pseudonym: the one that the person has in that stream's record.

    `speaks_of` are people whom the texts of a report are known to speak of. `follows` says that the first event of the
    same command led to these.
    """

    stream: str
    home: str
    events: Sequence[Event]
    by: Actor
    speaks_of: frozenset[UUID] = frozenset()
    follows: bool = False
    keyed: Keyed | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """The texts of a change, and the keys to seal them with."""

    unsealed: Unsealed[Event]
    keys: Mapping[Need, DataKey]


Settle = Callable[[Sequence[Change]], Awaitable[Sequence[Change]]]
