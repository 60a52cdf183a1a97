"""What the alert level of a unit says as facts on the log: derived by a projection, explained case by case."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, TypeAlias
from uuid import UUID

from pydantic import Field

from events.event import Event
from events.vocabulary import Channel, Instant, Kind, Open, Role, UnitId, Value, Word

Level = Annotated[int, Field(ge=0, le=4)]
"""0 calm, 1 watch, 2 tension, 3 alert, 4 crisis."""

Points = Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
"""Whole thousandths of a rule set's point: all arithmetic is in integers."""


class Confidence(Word):
    """How well a unit is being watched: calm and cut off must not look the same."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    BLIND = "blind"


class ConfidenceReason(Word):
    COVERAGE_UNKNOWN = "coverage_unknown"
    COVERAGE_FULL = "coverage_full"
    COVERAGE_PARTIAL = "coverage_partial"
    CHANNEL_LOST = "channel_lost"
    FEW_REPORTERS = "few_reporters"
    COVERAGE_LOST = "coverage_lost"


class LevelCause(Word):
    """What changed a level; only `evidence` may be shown as an escalation."""

    EVIDENCE = "evidence"
    RETRACTION = "retraction"
    FADING = "fading"
    RESOLVED = "resolved"
    RULES = "rules"
    GAZETTEER = "gazetteer"
    ELECTION_WINDOW = "election_window"
    ENGINE = "engine"
    COVERAGE = "coverage"


class Contribution(Value):
    """What one case adds: given by kind, severity and credibility; less what faded; not under its floor; by its rank.

    `counted` is what remains of it after its rank: the largest whole, the next a half, a quarter, an eighth.
    """

    case_id: UUID
    kind: Open[Kind]
    given: Points
    faded: Points
    floor: Points
    rank: Annotated[int, Field(ge=1)]
    counted: Points


class LevelChanged(Event):
    """A unit's level changed, with everything that makes it up, so that it can be recomputed from this event alone.

    `contributions` are the cases that count, `peace` those that take off, where they may; `peace_offset` is what they
    take. `held` is the level that was held before, where that is another than `from`: an engine that begins to speak
    may stand elsewhere than the last one said, and a unit may take over places of another that nobody watched.
    """

    name: ClassVar[str] = "level.level_changed"
    derived: ClassVar[bool] = True

    unit: UnitId
    before: Level = Field(alias="from")
    after: Level = Field(alias="to")
    effective_at: Instant
    cause: Open[LevelCause]
    points: Points
    contributions: tuple[Contribution, ...]
    peace: tuple[Contribution, ...] = ()
    peace_offset: Points = 0
    window_permille: Annotated[int, Field(ge=0)] = 1000
    straight_to: Level | None = None
    held: Level | None = None
    open_cases: Annotated[int, Field(ge=0)]
    confidence: Open[Confidence]
    confidence_reason: Open[ConfidenceReason]
    rules_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Awaited(Word):
    """Which answer did not come in time."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ACTION = "action"
    REFERRAL_OR_DECISION = "referral_or_decision"
    RATIFICATION = "ratification"


class ResponseOverdue(Event):
    """Somebody should have answered and has not: the gap between warning and response, on the log."""

    name: ClassVar[str] = "level.response_overdue"
    derived: ClassVar[bool] = True

    unit: UnitId
    case_id: UUID
    referral_id: UUID | None = None
    awaited: Open[Awaited]
    due: Instant
    step: Annotated[int, Field(ge=1)] = 1


class ResponseEscalated(Event):
    """A severe case that nobody answered went up one rung of the rule set's ladder: whom to tell now, by their role.

    `step` is that of the `level.response_overdue` that it follows: how often an answer was found wanting. `rung` is
    how far up the ladder it has come, from 1; `due` is when that rung was reached.
    """

    name: ClassVar[str] = "level.response_escalated"
    derived: ClassVar[bool] = True

    unit: UnitId
    case_id: UUID
    awaited: Open[Awaited]
    step: Annotated[int, Field(ge=1)]
    rung: Annotated[int, Field(ge=1)]
    tell: Open[Role]
    due: Instant


class CoverageLost(Event):
    """Nobody watches a unit any more, or nothing comes over one of its channels, since a day; of nobody in particular.

    Without a channel it is the whole unit. `effective_at` is the midnight or the event with which that began, or when
    an engine began to speak.
    """

    name: ClassVar[str] = "level.coverage_lost"
    derived: ClassVar[bool] = True

    unit: UnitId
    channel: Open[Channel] | None = None
    since: date
    effective_at: Instant


class CoverageRestored(Event):
    """A unit is watched again, or something comes over its channel again, since a day."""

    name: ClassVar[str] = "level.coverage_restored"
    derived: ClassVar[bool] = True

    unit: UnitId
    channel: Open[Channel] | None = None
    since: date
    effective_at: Instant


LevelEvent: TypeAlias = LevelChanged | ResponseOverdue | ResponseEscalated | CoverageLost | CoverageRestored
