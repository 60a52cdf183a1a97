"""A scenario: dated entries with sources, and the rule by which the rest is invented (deploy/scenarios/README.md).

How it is read from its files: services/demo/reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from events.places.gazetteer import Gazetteer
from events.reference import ElectionRound, ElectionStanding
from events.vocabulary import (
    ActionKind,
    ActorClass,
    Day,
    Kind,
    PlacePrecision,
    Purpose,
    RecipientClass,
    Severity,
    TimePrecision,
)

EntryId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,20}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Permille = Annotated[int, Field(ge=0, le=1000, strict=True)]
Whole = Annotated[int, Field(ge=0, strict=True)]
Toll = Annotated[int, Field(ge=0, le=1_000_000)]
Said = Annotated[str, Field(min_length=1, max_length=1_000)]


class Part(BaseModel):
    """A part of a scenario; a key that it does not know is a slip of the pen, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)


# --- facts ------------------------------------------------------------------------------------------------------------


def _addresses(text: object) -> object:
    return text.split() if isinstance(text, str) else text


class Entry(Part):
    """One thing that public accounts tell: when, where, what, how bad, and their addresses.

    `heard` unfound: the account names a place that no gazetteer has, so the message comes without one. `answers` names
    the earlier entry that this one says something was done about, `answer` what.
    """

    entry: EntryId
    starts: Day = Field(alias="from")
    ends: Day | None = Field(None, alias="to")
    dated: TimePrecision
    unit: str
    placed: PlacePrecision
    kind: Kind
    severity: Severity
    killed_min: Toll | None = None
    killed_max: Toll | None = None
    injured: Toll | None = None
    alleged: ActorClass
    origins: Annotated[int, Field(ge=1, le=100)]
    heard: Literal["unfound"] | None = None
    answers: EntryId | None = None
    answer: ActionKind | Literal["resolved"] | None = None
    sources: Annotated[tuple[Annotated[str, Field(pattern=r"^https?://\S+$")], ...], BeforeValidator(_addresses)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.ends is not None and self.ends < self.starts:
            raise ValueError("to|a day not before `from`; exchange the two")
        if None not in (self.killed_min, self.killed_max) and self.killed_min > self.killed_max:  # type: ignore[operator]
            raise ValueError("killed_min|a number not above `killed_max`; exchange the two")
        if (self.answers is None) != (self.answer is None):
            raise ValueError("answer|a value exactly where `answers` has one; add the other, or remove it")
        return self

    @property
    def last_day(self) -> date:
        """The latest day it may have happened."""
        return self.ends or self.starts


class Election(Part):
    """What was told of an election on a day."""

    election: Name
    round: ElectionRound
    told: date
    standing: ElectionStanding
    on: date
    campaign_from: date | None = None
    campaign_to: date | None = None
    source: Said


# --- invented ---------------------------------------------------------------------------------------------------------


class Recipient(Part):
    """Somebody to whom cases are referred."""

    recipient: Name
    recipient_class: RecipientClass = Field(alias="class")
    label: Annotated[str, Field(min_length=1, max_length=200)]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    conflicts_with: tuple[ActorClass, ...]


class Messages(Part):
    """What becomes of messages, in permille."""

    doubled: Permille
    withdrawn: Permille
    wrong: Permille
    corrected: Permille
    unplaced: Permille
    found: Permille
    no_unit: Permille


class CommitteeRule(Part):
    """How grades and votes fall, in permille."""

    second_grade_differs: Permille
    concluded: Permille
    dissent: Permille
    recused: Permille
    second_round: Permille
    opened_twice: Permille


class Openings(Part):
    """How cases are opened, in permille."""

    provisional: Permille
    ratified_late: Permille
    not_ratified: Permille

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if self.ratified_late + self.not_ratified > 1000:
            raise ValueError("ratified_late|at most 1000 together with `not_ratified`; lower one of them")
        return self


BySeverity = Mapping[Severity, Permille]


class Answers(Part):
    """How many cases are referred, and how many get an explicit decision instead, by severity."""

    referred: BySeverity
    decided: BySeverity
    consent_refused: Permille

    @model_validator(mode="after")
    def _every_severity(self) -> Self:
        for name in ("referred", "decided"):
            _complete(name, getattr(self, name))
        for severity in Severity:
            if self.referred[severity] + self.decided[severity] > 1000:
                raise ValueError(f"referred|at most 1000 together with `decided` for {severity}; lower one of them")
        return self


class Courses(Part):
    """How referrals go: weights."""

    confirmed: Whole
    unchecked: Whole
    contradicted: Whole
    unsuccessful: Whole
    declined: Whole
    late: Whole
    silent: Whole
    revoked: Whole

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("confirmed|one weight above 0; raise one")
        return self


class Endings(Part):
    """How cases end."""

    resolved: BySeverity
    after_days: tuple[Whole, Whole]
    closed: Permille

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _complete("resolved", self.resolved)
        if self.after_days[0] > self.after_days[1]:
            raise ValueError("after_days|the fewer days first; exchange the two")
        return self


def _complete(name: str, shares: BySeverity) -> None:
    if absent := [severity.value for severity in Severity if severity not in shares]:
        raise ValueError(f"{name}|a value for every severity; add {', '.join(absent)}")


class Invented(Part):
    """The rule by which everything is made up that no account tells."""

    reporters: Annotated[int, Field(ge=2, le=20, strict=True)]
    reviewers: Annotated[int, Field(ge=4, le=30, strict=True)]
    officers: Annotated[int, Field(ge=2, le=30, strict=True)]
    delay_days: Annotated[int, Field(ge=0, le=30, strict=True)]
    most_origins: Annotated[int, Field(ge=1, le=10, strict=True)]
    messages: Messages
    committee: CommitteeRule
    openings: Openings
    answers: Answers
    courses: Courses
    endings: Endings


class Head(Part):
    """A scenario's own file."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    facts: Said
    invention: Said
    entries: str
    begins: date
    ends: date
    seed: Whole
    gazetteer: str
    division: str | None = None
    rules: str
    one_incident: tuple[date, ...] = ()
    elections: tuple[Election, ...] = ()
    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)]
    invented: Invented

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not 0 < (self.ends - self.begins).days <= 3_660:
            raise ValueError("ends|a day after `begins`, at most ten years; correct one of the two")
        names = [one.recipient for one in self.recipients]
        if len(set(names)) != len(names):
            raise ValueError("recipients|each recipient once; give one another name")
        served = {purpose for one in self.recipients for purpose in one.purposes}
        if absent := [one.value for one in Purpose if one in USED_PURPOSES and one not in served]:
            raise ValueError(f"recipients|somebody for every purpose that is used; add one for {', '.join(absent)}")
        return self


USED_PURPOSES = frozenset(
    {Purpose.PROTECTION, Purpose.MEDIATION, Purpose.MEDICAL, Purpose.LEGAL, Purpose.INVESTIGATION, Purpose.INFORMATION}
)
"""For what the story refers (story.py)."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read and checked."""

    file: Path
    head: Head
    entries: tuple[Entry, ...]
    gazetteer: Gazetteer
    rules: str
