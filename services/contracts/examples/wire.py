"""How an example becomes wire bytes: every id, time and ciphertext is made up from names, so the bytes never change."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256, shake_256
from uuid import UUID

from events.envelope import Draft, event_id, named_id, splice
from events.event import Event
from events.sealed import Sealed
from events.vocabulary import EVERY_HOME, Actor, Dated, Located, Mode, PlacePrecision, Role

SOURCE = "urn:intabaza:example"
HOME = "bi:c2015:bubanza"
COMMUNE = "bi:c2025:bubanza"
GAZETTEER = sha256(b"example gazetteer").hexdigest()
PLACE = Located(unit=COMMUNE, precision=PlacePrecision.COMMUNE, gazetteer=GAZETTEER)
BEGINNING = datetime(2026, 5, 20, 4, 30, tzinfo=UTC)
ON_THE_DAY = Dated(starts=BEGINNING.date(), ends=BEGINNING.date())


def made_up(name: str) -> UUID:
    """An id that follows from a name, shaped like the server's own."""
    return named_id(UUID(int=0), f"example {name}")


REPORT, CASE, REPORTER, REFERRAL, CHECK, CONSENT = map(
    made_up, ("report", "case", "reporter", "referral", "check", "consent")
)
ADA, BEN, COLETTE = map(made_up, ("reviewer ada", "reviewer ben", "reviewer colette"))


def at(**later: int) -> datetime:
    """A moment after the beginning of the examples' story."""
    return BEGINNING + timedelta(**later)


def made_up_hash(name: str) -> str:
    return sha256(f"example {name}".encode()).hexdigest()


def sealed(under: str, what: str, padded_bytes: int = 64) -> Sealed:
    """A ciphertext of the right shape, under a key that never was: padded text, then a tag of 16 bytes."""
    seed = shake_256(f"example {under} {what}".encode()).digest(12 + padded_bytes + 16)
    return Sealed(key_id=made_up(f"key of {under}"), nonce=_text(seed[:12]), ciphertext=_text(seed[12:]))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Example:
    """One published example: an event of a stream, named by its case.

    Its position and time follow from its name alone, so that an example added later changes no other one's bytes.
    """

    case: str
    stream: str
    data: Event
    role: Role
    version: int = 2
    home: str = HOME
    mode: Mode = Mode.ACTUAL
    on_behalf_of: UUID | None = None
    causation_id: UUID | None = None

    @property
    def path(self) -> str:
        """Its place under schemas/."""
        return f"events/{self.data.name}/{self.data.schema_version}.{self.case}.json"

    @property
    def event_id(self) -> UUID:
        return event_id(self._command_id, 0)

    @property
    def _name(self) -> str:
        return f"{self.data.name} {self.case}"

    @property
    def _command_id(self) -> UUID:
        return made_up(f"command {self._name}")

    def wire(self) -> bytes:
        """Its bytes, as a record of the log has them."""
        draft = Draft(
            event_id=self.event_id,
            source=SOURCE,
            stream=self.stream,
            version=self.version,
            home=EVERY_HOME if self.data.broadcast else self.home,
            data=self.data,
            command_id=self._command_id,
            command_mac=sha256(f"example {self._name}".encode()).digest(),
            actor=Actor(role=self.role, ref=made_up(f"actor {self.role}"), on_behalf_of=self.on_behalf_of),
            mode=self.mode,
            correlation_id=None if self.data.derived else self._command_id,
            causation_id=self.causation_id,
            engine=1 if self.data.derived else None,
        )
        position = 1 + int.from_bytes(sha256(self._name.encode()).digest()[:3])
        return splice(draft.body(), position, BEGINNING + timedelta(seconds=position))
