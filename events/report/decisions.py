"""What may be done to a report: one command and one decision an act, in the order of a report's life."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import Field, model_validator

from events.command import Command, Text, clear
from events.event import Act
from events.refusals import BadInput
from events.report.events import (
    Carried,
    ReportConcluded,
    ReportCorrected,
    ReportEvent,
    ReportGraded,
    ReportReceived,
    ReportRecused,
    ReportSuperseded,
    ReportWithdrawn,
)
from events.report.refusals import (
    AlreadyGraded,
    AlreadyReceived,
    AnotherHome,
    AnotherRound,
    NoQuorum,
    NoSuchReport,
    OwnReport,
    ReportSupersededAlready,
    ReportWithdrawnAlready,
    SameHome,
    StoodAside,
    WordsNotOpened,
)
from events.report.state import (
    SEALED_FIELDS,
    Report,
    Standing,
)
from events.sealed import KeyKind
from events.stated import HarmStated, When, dates_of
from events.vocabulary import (
    ActorClass,
    Basis,
    Channel,
    Credibility,
    Flag,
    Instant,
    Kind,
    Language,
    Located,
    PeopleAgree,
    PlacePrecision,
    Quorum,
    RecordedBy,
    Recusal,
    Reliability,
    Round,
    UnitId,
    Urgency,
    Withdrawal,
)


class Receive(Command):
    """A message as it came in: what a reporter, coordinator, operator or gateway hands over.

    `unit` is where it happened, as far as anybody could tell; left out, the report is kept as unplaced.
    `received_at` is when it came to our door.
    """

    stamped: ClassVar[frozenset[str]] = frozenset({"received_at"})

    channel: Channel
    language: Language
    kind: Kind
    basis: Basis = Basis.UNKNOWN
    recorded_by: RecordedBy = RecordedBy.SELF
    people_agree_to_share: PeopleAgree = PeopleAgree.NOT_ASKED
    unit: UnitId | None = None
    place_precision: PlacePrecision = PlacePrecision.UNKNOWN
    occurred: When | None = None
    expected: When | None = None
    harm: Annotated[tuple[HarmStated, ...], Field(max_length=12)] = ()
    urgency: Urgency = Urgency.UNKNOWN
    text: Text
    place_words: Text | None = None
    exact_times: Text | None = None
    sub_kind: Text | None = None
    actor_class: Annotated[ActorClass | None, Field(repr=False)] = None
    contact: Text | None = None
    received_at: Instant


def receive(
    report: Report, command: Receive, act: Act, *, place: Located, placed: bool, person: UUID | None
) -> tuple[ReportEvent, ...]:
    """Receive a message at a place the caller looked up (`placed` False: kept as unplaced); `person` is its source.

    Dates that cannot be are refused at a form, where somebody can be asked, and flagged in a message.
    """
    if report.version:
        raise AlreadyReceived()
    occurred, occurred_doubtful = dates_of("occurred", command.occurred, command.channel, not_after=act.today)
    expected, expected_doubtful = dates_of("expected", command.expected, command.channel, not_after=None)
    flags = [
        flag
        for flag, raised in (
            (Flag.UNPLACED, not placed),
            (Flag.CLOCK_DOUBTFUL, occurred_doubtful or expected_doubtful),
        )
        if raised
    ]
    own = report.report_id
    whose = (KeyKind.PERSON, person) if person else (KeyKind.REPORT, own)
    return (
        ReportReceived(
            channel=command.channel,
            language=command.language,
            kind=command.kind,
            basis=command.basis,
            recorded_by=command.recorded_by,
            people_agree_to_share=command.people_agree_to_share,
            place=place,
            occurred=occurred,
            expected=expected,
            harm=tuple(harm.stated() for harm in command.harm),
            urgency=command.urgency,
            flags=tuple(flags),
            received_at=command.received_at,
            text=clear(command.text, KeyKind.REPORT, own),
            place_words=clear(command.place_words, KeyKind.REPORT, own),
            exact_times=clear(command.exact_times, KeyKind.REPORT, own),
            sub_kind=clear(command.sub_kind, KeyKind.REPORT, own),
            actor_class=clear(command.actor_class, KeyKind.REPORT, own),
            contact=clear(command.contact, *whose),
            source=clear(str(person) if person else None, *whose),
        ),
    )


class Grade(Command):
    """A reviewer's view: how reliable the source, how credible the information, apart from each other."""

    round: Round
    reliability: Reliability
    credibility: Credibility
    note: Text | None = None


def grade(report: Report, command: Grade, act: Act, *, own: bool) -> tuple[ReportEvent, ...]:
    """Grade a report; `own` is the vault's answer to whether the reviewer, or who grades for them, is its source.

    Who grades on behalf of a reviewer gives that reviewer's view, who then has none other in this round.
    """
    _stands(report)
    if own:
        raise OwnReport()
    _this_round(report, command.round)
    if act.by.whose in report.recused:
        raise StoodAside(round=report.round)
    if any(given.by == act.by.whose for given in report.grades_of(report.round)):
        raise AlreadyGraded(round=report.round)
    return (
        ReportGraded(
            by=act.by.whose,
            round=command.round,
            reliability=command.reliability,
            credibility=command.credibility,
            note=clear(command.note, KeyKind.REPORT, report.report_id),
        ),
    )


class Recuse(Command):
    """A reviewer stands aside."""

    round: Round
    reason: Recusal


def recuse(report: Report, command: Recuse, act: Act) -> tuple[ReportEvent, ...]:
    """Stand aside from this round; whoever has graded in it has not stood aside."""
    _stands(report)
    _this_round(report, command.round)
    if act.by.whose in report.recused:
        raise StoodAside(round=report.round)
    if any(given.by == act.by.whose for given in report.grades_of(report.round)):
        raise AlreadyGraded(round=report.round)
    return (ReportRecused(by=act.by.whose, round=command.round, reason=command.reason),)


class Conclude(Command):
    """The reviewers' conclusion of a round."""

    round: Round
    reliability: Reliability
    credibility: Credibility


def conclude(
    report: Report, command: Conclude, act: Act, *, eligible: frozenset[UUID], required: int
) -> tuple[ReportEvent, ...]:
    """Conclude a round where enough grades agree on the credibility and, apart from it, on the reliability.

    A reliability that stays as it was needs no agreement: a new source stays at F. Every grade that differs is kept as
    dissent. `eligible` are those whose grades count, `required` how many must agree (both from the rules in force); a
    grade of anybody else is kept and counts for nothing.
    """
    _stands(report)
    _this_round(report, command.round)
    given = report.grades_of(report.round)
    counted = [one for one in given if one.by in eligible]
    in_favour = sum(one.credibility == command.credibility for one in counted)
    if command.reliability != report.reliability:
        in_favour = min(in_favour, sum(one.reliability == command.reliability for one in counted))
    if in_favour < max(required, 1):
        raise NoQuorum(in_favour=in_favour, required=max(required, 1))
    dissent = tuple(
        one for one in given if (one.credibility, one.reliability) != (command.credibility, command.reliability)
    )
    recused = len(report.recused & eligible)
    quorum = Quorum(eligible=len(eligible), recused=recused, required=required, in_favour=in_favour)
    return (
        ReportConcluded(
            round=command.round,
            reliability=command.reliability,
            credibility=command.credibility,
            quorum=quorum,
            dissent=dissent,
        ),
    )


class NoLongerStated(StrEnum):
    """Fields that a correction may empty."""

    OCCURRED = "occurred"
    EXPECTED = "expected"
    SUB_KIND = "sub_kind"
    ACTOR_CLASS = "actor_class"
    EXACT_TIMES = "exact_times"


class Correct(Command):
    """What was wrong and is now right; fields left out stay as they are.

    `unit` places the report better inside its home; where that lies in another home it is superseded instead.
    """

    unit: UnitId | None = None
    place_precision: PlacePrecision = PlacePrecision.UNKNOWN
    kind: Kind | None = None
    basis: Basis | None = None
    people_agree_to_share: PeopleAgree | None = None
    occurred: When | None = None
    expected: When | None = None
    harm: Annotated[tuple[HarmStated, ...], Field(max_length=12)] | None = None
    urgency: Urgency | None = None
    text: Text | None = None
    sub_kind: Text | None = None
    place_words: Text | None = None
    actor_class: Annotated[ActorClass | None, Field(repr=False)] = None
    exact_times: Text | None = None
    no_longer_stated: frozenset[NoLongerStated] = frozenset()
    reason: Text

    @model_validator(mode="after")
    def _something_once(self) -> Self:
        named = {name for name in type(self).model_fields if getattr(self, name) is not None}
        corrected = named - {"reason", "place_precision", "no_longer_stated"}
        if not corrected and not self.no_longer_stated:
            raise ValueError("at least one field to correct; name what was wrong")
        if corrected & {str(name) for name in self.no_longer_stated}:
            raise ValueError("no field both corrected and no longer stated; choose one of the two")
        return self


def correct(
    report: Report, command: Correct, act: Act, *, place: Located | None = None, moves_home: bool = False
) -> tuple[ReportEvent, ...]:
    """Correct a report's fields; who corrects can be asked, so dates that cannot be are refused.

    `place` is where the command's unit lies as the caller looked it up, `moves_home` whether that is another home.
    """
    _stands(report)
    own = report.report_id
    if moves_home:
        raise AnotherHome()
    if command.unit != (place.unit if place else None):
        raise BadInput.field("unit", "a unit of the gazetteer in force", "look the place up by its name")
    occurred, _ = dates_of("occurred", command.occurred, Channel.FORM, not_after=act.today)
    expected, _ = dates_of("expected", command.expected, Channel.FORM, not_after=None)
    return (
        ReportCorrected(
            place=place,
            kind=command.kind,
            basis=command.basis,
            people_agree_to_share=command.people_agree_to_share,
            occurred=occurred,
            expected=expected,
            harm=None if command.harm is None else tuple(harm.stated() for harm in command.harm),
            urgency=command.urgency,
            text=clear(command.text, KeyKind.REPORT, own),
            place_words=clear(command.place_words, KeyKind.REPORT, own),
            sub_kind=clear(command.sub_kind, KeyKind.REPORT, own),
            actor_class=clear(command.actor_class, KeyKind.REPORT, own),
            exact_times=clear(command.exact_times, KeyKind.REPORT, own),
            no_longer_stated=tuple(sorted(command.no_longer_stated)),
            reason=clear(command.reason, KeyKind.REPORT, own),
        ),
    )


class Withdraw(Command):
    """Take a report back."""

    reason: Withdrawal
    note: Text | None = None


def withdraw(report: Report, command: Withdraw, act: Act) -> tuple[ReportEvent, ...]:
    _stands(report)
    return (ReportWithdrawn(reason=command.reason, note=clear(command.note, KeyKind.REPORT, report.report_id)),)


class Supersede(Command):
    """Place a report better, in another home."""

    unit: UnitId
    place_precision: PlacePrecision


def supersede(
    report: Report,
    again: Report,
    act: Act,
    *,
    place: Located,
    here: str,
    there: str,
    words: Mapping[str, Text],
    placed: bool = True,
    erased: frozenset[str] = frozenset(),
) -> tuple[tuple[ReportEvent, ...], tuple[ReportEvent, ...]]:
    """Receive a report again in the home `there`, where its better place lies.

    Returns the events for its stream and for the new one. `words` are its sealed fields as the vault opened them; they
    are sealed anew under the new report's keys; one that is missing is refused, unless it is `erased` for ever. Grades
    and conclusion are carried, so that nothing is graded or counted twice. `placed` False: it belongs nowhere known.
    """
    content = _stands(report)
    if again.version:
        raise AlreadyReceived()
    if here == there:
        raise SameHome()
    if lost := report.words.keys() - words.keys() - (erased - {"text"}):
        raise WordsNotOpened(fields=", ".join(sorted(lost)))
    own = again.report_id
    person = UUID(words["source"].get_secret_value()) if "source" in words else None
    whose = (KeyKind.PERSON, person) if person else (KeyKind.REPORT, own)
    carried = Carried(
        supersedes=report.report_id,
        first_received_as=report.first_received_as,
        received_before=(*(content.carried.received_before if content.carried else ()), report.report_id),
        round=report.round,
        grades=report.grades,
        recused=tuple(sorted(report.recused)),
        reliability=report.reliability,
        credibility=report.credibility,
    )
    sealed_anew = {
        name: clear(words.get(name), *(whose if name in ("contact", "source") else (KeyKind.REPORT, own)))
        for name in SEALED_FIELDS
    }
    unplaced = () if placed else (Flag.UNPLACED,)
    flags = (*unplaced, *(flag for flag in content.flags if flag != Flag.UNPLACED))
    received = content.model_copy(update={"place": place, "flags": flags, "carried": carried, **sealed_anew})
    return (ReportSuperseded(received_again_as=own, home=there),), (received,)


def _stands(report: Report) -> ReportReceived:
    """Return what stands in a report that takes more; refuses one that is absent, withdrawn or superseded."""
    match report.standing:
        case Standing.WITHDRAWN:
            raise ReportWithdrawnAlready()
        case Standing.SUPERSEDED:
            raise ReportSupersededAlready(received_again_as=report.received_again_as)
        case Standing.ABSENT | Standing.STANDS:
            if report.content is None:
                raise NoSuchReport()
            return report.content


def _this_round(report: Report, asked: int) -> None:
    if asked != report.round:
        raise AnotherRound(current=report.round, asked=asked)


COMMANDS: tuple[type[Command], ...] = (Receive, Grade, Recuse, Conclude, Correct, Withdraw, Supersede)
