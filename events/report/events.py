"""What happens to a report, as it stands on the log."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias
from uuid import UUID

from pydantic import Field

from events.event import Event
from events.sealed import Sealable
from events.vocabulary import (
    Basis,
    Channel,
    Credibility,
    Dated,
    Flag,
    HomeId,
    Instant,
    Kind,
    Language,
    Located,
    Open,
    PeopleAgree,
    Quorum,
    RecordedBy,
    Recusal,
    Reliability,
    Round,
    Stated,
    Urgency,
    Value,
    Withdrawal,
)


class Graded(Value):
    """One reviewer's view of a report in one round, kept as given."""

    by: UUID
    round: Round
    reliability: Open[Reliability]
    credibility: Open[Credibility]


class Carried(Value):
    """What a report brings along when it is received again in another home, so that nothing is graded or counted twice.

    `received_before` is every id it had, oldest first: it `supersedes` the last, and reviewers keep the pseudonyms they
    have about the one that it was `first_received_as`.
    """

    supersedes: UUID
    first_received_as: UUID
    received_before: tuple[UUID, ...] = ()
    round: Round
    grades: tuple[Graded, ...] = ()
    recused: tuple[UUID, ...] = ()
    reliability: Open[Reliability]
    credibility: Open[Credibility]


class ReportReceived(Event):
    """A message reached the network. Personal words are sealed; dates, unit and coarse kind are in clear."""

    name: ClassVar[str] = "report.received"

    channel: Open[Channel]
    language: Open[Language]
    kind: Open[Kind]
    basis: Open[Basis]
    recorded_by: Open[RecordedBy]
    people_agree_to_share: Open[PeopleAgree]
    place: Located
    occurred: Dated | None = None
    expected: Dated | None = None
    harm: tuple[Stated, ...] = ()
    urgency: Open[Urgency]
    flags: tuple[Open[Flag], ...] = ()
    received_at: Instant
    text: Sealable
    place_words: Sealable | None = None
    exact_times: Sealable | None = None
    sub_kind: Sealable | None = None
    actor_class: Sealable | None = None
    contact: Sealable | None = None
    source: Sealable | None = None
    carried: Carried | None = None


class ReportGraded(Event):
    """One reviewer graded a report; the note is sealed."""

    name: ClassVar[str] = "report.graded"

    by: UUID
    round: Round
    reliability: Open[Reliability]
    credibility: Open[Credibility]
    note: Sealable | None = None


class ReportRecused(Event):
    """A reviewer stood aside from a report in this round."""

    name: ClassVar[str] = "report.recused"

    by: UUID
    round: Round
    reason: Open[Recusal]


class ReportConcluded(Event):
    """The reviewers concluded a round. `dissent` keeps every grade of the round that differs from the conclusion."""

    name: ClassVar[str] = "report.concluded"

    round: Round
    reliability: Open[Reliability]
    credibility: Open[Credibility]
    quorum: Quorum
    dissent: tuple[Graded, ...] = ()


class ReportCorrected(Event):
    """Some fields were wrong; only those named here change. `no_longer_stated` names fields that are now empty."""

    name: ClassVar[str] = "report.corrected"

    place: Located | None = None
    kind: Open[Kind] | None = None
    basis: Open[Basis] | None = None
    people_agree_to_share: Open[PeopleAgree] | None = None
    occurred: Dated | None = None
    expected: Dated | None = None
    harm: tuple[Stated, ...] | None = None
    urgency: Open[Urgency] | None = None
    text: Sealable | None = None
    place_words: Sealable | None = None
    sub_kind: Sealable | None = None
    actor_class: Sealable | None = None
    exact_times: Sealable | None = None
    no_longer_stated: tuple[Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")], ...] = ()
    reason: Sealable | None = None


class ReportWithdrawn(Event):
    """A report is taken back: it stays on the log and counts no more."""

    name: ClassVar[str] = "report.withdrawn"

    reason: Open[Withdrawal]
    note: Sealable | None = None


class ReportSuperseded(Event):
    """A report was placed better and received again in the right home, under another id."""

    name: ClassVar[str] = "report.superseded"

    received_again_as: UUID
    home: HomeId


ReportEvent: TypeAlias = (
    ReportReceived
    | ReportGraded
    | ReportRecused
    | ReportConcluded
    | ReportCorrected
    | ReportWithdrawn
    | ReportSuperseded
)
