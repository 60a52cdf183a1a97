"""The port of the intake: what the vault must hold before a report is appended, asked for at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from services.vault.keys import DataKey, Need


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report that is about to be appended: who writes it, whose it is, and the keys that its texts need.

    `writers` are people with the pseudonym that each is to have about it: a random one, which nothing can compute
    again. Whoever has one already keeps that.
    """

    report_id: UUID
    writers: tuple[tuple[UUID, UUID], ...] = field(repr=False)
    source: UUID | None = field(repr=False)
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the vault holds of an arrival now."""

    refs: Mapping[UUID, UUID] = field(repr=False)
    keys: Mapping[Need, DataKey]


class Intake(Protocol):
    """Where reports come in. The append of an admitted report takes all of this to the disk along with itself."""

    async def admit(self, arrival: Arrival) -> Admitted:
        """Record its source, name its writers, make its keys; a repeat finds what the first try made.

        Raises SourceDiffers where it is somebody else's, and KeyGone where a person or a key is erased.
        """
        ...
