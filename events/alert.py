"""What strangers are told: a unit's level changed, on a date, by which rules; nothing that points at a witness."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from events.event import Event
from events.level import Level
from events.vocabulary import Open, UnitId, Value, Word


class KindGroup(Word):
    """Groups of kinds, coarse enough that a group does not describe an incident."""

    VIOLENCE_AND_WEAPONS = "violence_and_weapons"
    TENSION_AND_RUMOUR = "tension_and_rumour"
    RIGHTS_AND_ELECTIONS = "rights_and_elections"
    DISPLACEMENT = "displacement"


class AlertChange(Word):
    """How this alert stands to what was told before."""

    RAISED = "raised"
    LOWERED = "lowered"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


class Code(Value):
    """A code of a unit in a scheme other people use."""

    scheme: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    code: Annotated[str, Field(min_length=1, max_length=64)]


class AlertIssued(Event):
    """A unit's level, for strangers: a date and no instant, no evidence, counts, recipients, coverage or confidence."""

    name: ClassVar[str] = "alert.issued"
    derived: ClassVar[bool] = True

    unit: UnitId
    unit_name: Annotated[str, Field(min_length=1, max_length=200)]
    codes: tuple[Code, ...] = ()
    before: Level = Field(alias="from")
    after: Level = Field(alias="to")
    on: date
    kinds: tuple[Open[KindGroup], ...] = ()
    rules_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    change: Open[AlertChange]
    updates: UUID | None = None
    cancels: UUID | None = None
