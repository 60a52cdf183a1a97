"""The port of the keys: made before a sealing uses them, read again at each opening, destroyed for ever."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.sealed import KeyKind, Under


@dataclass(frozen=True, slots=True)
class Need:
    """A key that a sealing needs: whose, and for a person in which stream; and of whom its text is known to speak."""

    kind: KeyKind
    subject: str
    person_id: UUID | None = None
    speaks_of: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, under: Under, stream: str, speaks_of: frozenset[UUID] = frozenset()) -> Need:
        """The key for a text in this stream. A person has one a stream; only a report's key takes `speaks_of`."""
        if under.kind is KeyKind.PERSON:
            return cls(under.kind, f"{under.owner}/{stream}", person_id=under.owner)
        return cls(under.kind, str(under.owner), speaks_of=speaks_of if under.kind is KeyKind.REPORT else frozenset())


@dataclass(frozen=True, slots=True)
class DataKey:
    """One opened key. Hold it no longer than the sealing or opening it is for; its repr hides the secret."""

    key_id: UUID
    kind: KeyKind
    cipher: AESGCM = field(repr=False, compare=False)


class Keys(Protocol):
    """The keys of one deployment."""

    async def keys_for(self, needs: Collection[Need]) -> Mapping[Need, DataKey]:
        """Make the keys that are missing and return all; raises KeyGone if one was destroyed.

        They are committed, and on the disk no later than an append that names them.
        """
        ...

    async def open_keys(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        """Read each key's row now; raises KeyGone where one was destroyed, NoSuchKey where there never was one."""
        ...

    async def destroy(self, key_ids: Collection[UUID]) -> frozenset[UUID]:
        """Wipe these keys for ever and return those that still were there; no append under them is in between."""
        ...

    async def erase(self, person_id: UUID) -> frozenset[UUID]:
        """Erase a person: their keys, the keys of texts that speak of them, their phone, every link to them."""
        ...
