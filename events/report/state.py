"""What the network knows of one report, folded from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from events.report.events import (
    Graded,
    ReportConcluded,
    ReportCorrected,
    ReportEvent,
    ReportGraded,
    ReportReceived,
    ReportRecused,
    ReportSuperseded,
    ReportWithdrawn,
)
from events.sealed import Sealable
from events.vocabulary import (
    Credibility,
    Flag,
    Reliability,
)


class Standing(StrEnum):
    ABSENT = "absent"
    STANDS = "stands"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Report:
    """What the network knows of one report. A source nobody has graded is at F: cannot be judged.

    `content` is what was received with its corrections applied; `words` says, field by field, in which version of the
    stream the current sealed text stands.
    """

    report_id: UUID
    version: int = 0
    standing: Standing = Standing.ABSENT
    content: ReportReceived | None = field(default=None, repr=False)
    words: Mapping[str, tuple[int, Sealable]] = field(default_factory=dict, repr=False)
    round: int = 1
    grades: tuple[Graded, ...] = ()
    recused: frozenset[UUID] = frozenset()
    reliability: Reliability = Reliability.F
    credibility: Credibility = Credibility.SIX
    received_again_as: UUID | None = None

    @property
    def first_received_as(self) -> UUID:
        """The id under which reviewers have their pseudonyms."""
        carried = self.content.carried if self.content else None
        return carried.first_received_as if carried else self.report_id

    @property
    def received_before_as(self) -> frozenset[UUID]:
        """Every id that this report had before it was received again."""
        carried = self.content.carried if self.content else None
        if carried is None:
            return frozenset()
        return frozenset({carried.first_received_as, carried.supersedes, *carried.received_before})

    @property
    def known_as(self) -> frozenset[UUID]:
        """Every id that this report ever had: whatever is linked under one of them is this report."""
        return self.received_before_as | {self.report_id}

    @property
    def graded(self) -> bool:
        return bool(self.grades)

    def grades_of(self, round_number: int) -> tuple[Graded, ...]:
        return tuple(grade for grade in self.grades if grade.round == round_number)


def evolve(report: Report, event: ReportEvent) -> Report:
    """Apply one event; total: never raises on history."""
    report = replace(report, version=report.version + 1)
    match event:
        case ReportReceived():
            return _received(report, event)
        case ReportGraded():
            grade = Graded(by=event.by, round=event.round, reliability=event.reliability, credibility=event.credibility)
            return replace(report, grades=(*report.grades, grade))
        case ReportRecused():
            return replace(report, recused=report.recused | {event.by})
        case ReportConcluded():
            return replace(
                report,
                round=event.round + 1,
                recused=frozenset(),
                reliability=event.reliability,
                credibility=event.credibility,
            )
        case ReportCorrected():
            return _corrected(report, event)
        case ReportWithdrawn():
            return replace(report, standing=Standing.WITHDRAWN)
        case ReportSuperseded():
            return replace(report, standing=Standing.SUPERSEDED, received_again_as=event.received_again_as)
        case _:
            assert_never(event)


SEALED_FIELDS = ("text", "place_words", "exact_times", "sub_kind", "actor_class", "contact", "source")
"""The personal fields of a report, sealed wherever they are written."""


def _received(report: Report, event: ReportReceived) -> Report:
    report = replace(report, standing=Standing.STANDS, content=event, words=_words(report.version, event))
    if (carried := event.carried) is None:
        return report
    return replace(
        report,
        round=carried.round,
        grades=carried.grades,
        recused=frozenset(carried.recused),
        reliability=carried.reliability,
        credibility=carried.credibility,
    )


def _corrected(report: Report, event: ReportCorrected) -> Report:
    emptied = set(event.no_longer_stated)
    words = {name: word for name, word in report.words.items() if name not in emptied}
    words |= _words(report.version, event)
    if report.content is None:
        return replace(report, words=words)
    plain = ("place", "kind", "basis", "people_agree_to_share", "occurred", "expected", "harm", "urgency")
    changes = {name: value for name in plain if (value := getattr(event, name)) is not None}
    changes |= {name: None for name in ("occurred", "expected") if name in emptied}
    content = report.content.model_copy(update=changes)
    if not _doubtful(content, occurred_is_settled="occurred" in changes):
        flags = tuple(flag for flag in content.flags if flag != Flag.CLOCK_DOUBTFUL)
        content = content.model_copy(update={"flags": flags})
    return replace(report, content=content, words=words)


def _doubtful(content: ReportReceived, *, occurred_is_settled: bool) -> bool:
    """Whether a doubt about dates remains: correcting one date says nothing about the other."""
    if content.expected is not None and content.expected.turned:
        return True
    occurred = content.occurred
    if occurred is None or occurred_is_settled:
        return False
    return occurred.turned or any(day > content.received_at.date() for day in (occurred.starts, occurred.ends) if day)


def _words(version: int, event: ReportReceived | ReportCorrected) -> dict[str, tuple[int, Sealable]]:
    found = ((name, getattr(event, name, None)) for name in SEALED_FIELDS)
    return {name: (version, value) for name, value in found if value is not None}
