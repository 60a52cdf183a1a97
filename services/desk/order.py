"""A command as it reached us, and what must be equal when it is sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar
from uuid import UUID

from events.command import Command
from events.envelope import canonical
from events.vocabulary import Mode, Role
from services.area import EVERYWHERE, Area

Facts = Mapping[str, str | Sequence[str] | None]
"""What came with a command and stands in no field of it, such as whose report it is; people by their ids."""

NO_FACTS: Facts = MappingProxyType({})

C_co = TypeVar("C_co", bound=Command, covariant=True)


@dataclass(frozen=True, slots=True)
class Order(Generic[C_co]):
    """A command as it reached us: who sent it, in which role, and what they called it, so that a repeat is known.

    `target` is what it is about (a report's or case's id, a register's name); it is part of what must be equal at a
    repeat. `causation_id` is the event that led to it, where one did. Its repr shows neither people nor their words.

    `area` and `recipient` say how far its sender's rights reach: the units they may act on, and whose referrals they
    answer. `read_at` is the position up to which they had read the stream that they act on, where they say so.
    """

    person_id: UUID = field(repr=False)
    role: Role
    client_id: str = field(repr=False)
    command: C_co
    target: str
    mode: Mode = Mode.ACTUAL
    on_behalf_of: UUID | None = field(default=None, repr=False)
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    area: Area = EVERYWHERE
    recipient: str | None = None
    read_at: int | None = None
    command_id: UUID | None = field(default=None, repr=False, compare=False)
    """What it is called here, where whoever made the order has asked for that already (`Desk.id_of`): it is needed more
    than once, and costs an HMAC."""

    def canonical(self, facts: Facts) -> bytes:
        """The bytes whose HMAC tells a repeat from another body under the same id."""
        return canonical(
            {
                "command": type(self.command).__name__,
                "target": self.target,
                "role": self.role.value,
                "mode": self.mode.value,
                "for": self.on_behalf_of and str(self.on_behalf_of),
                "fields": self.command.revealed(),
                "facts": dict(facts),
            }
        )
