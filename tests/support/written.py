"""A log in memory: events as a projection takes them, with positions, stream versions and times, nothing in clear."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from events.event import Event
from events.sealed import Clear, Sealed
from events.vocabulary import EVERY_HOME, Actor, Mode, wire_time
from projections.taken import Taken
from tests.support.domain import HOME, INES, NOW

SEALED = Sealed(key_id=UUID(int=9), nonce="AAAA", ciphertext="BBBB")
M = TypeVar("M", bound=BaseModel)


class Written:
    """What is written so far. `now` is the ledger's clock; it never goes back."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.events: list[Taken] = []
        self._versions: dict[str, int] = {}

    def write(
        self, stream: str, *events: Event, home: str = HOME, by: Actor = INES, mode: Mode = Mode.ACTUAL
    ) -> Written:
        """Append events to a stream at this moment."""
        for event in events:
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            data = sealed(event).wire_data()
            where = EVERY_HOME if event.broadcast else home
            position, time = len(self.events) + 1, wire_time(self.now)
            self.events.append(
                Taken(position, time, stream, version, event.name, where, mode.value, by.role.value, str(by.ref), data)
            )
        return self

    def after(self, **later: float) -> Written:
        """Let time go on: `after(hours=3)`."""
        self.now += timedelta(**later)
        return self


def sealed(model: M) -> M:
    """The model with every text that is in clear replaced by one ciphertext."""
    return model.model_copy(update={name: _sealed(getattr(model, name)) for name in type(model).model_fields})


def _sealed(value: Any) -> Any:
    if isinstance(value, Clear):
        return SEALED
    if isinstance(value, BaseModel):
        return sealed(value)
    return tuple(_sealed(part) for part in value) if isinstance(value, tuple) else value
