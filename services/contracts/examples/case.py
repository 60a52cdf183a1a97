"""A case's life and the committee's work on it; its referrals stand in their own module."""

from __future__ import annotations

from events.case.events import (
    CaseActionRecorded,
    CaseAssessed,
    CaseClassified,
    CaseClosed,
    CaseDecided,
    CaseEvent,
    CaseHarmRecorded,
    CaseMerged,
    CaseMergeReversed,
    CaseNotRatified,
    CaseOpened,
    CaseRatified,
    CaseRelated,
    CaseReopened,
    CaseReportLinked,
    CaseReportUnlinked,
    CaseResolved,
    CaseUnrelated,
    Dissent,
)
from events.vocabulary import (
    ActionKind,
    Basis,
    CaseOutcome,
    Circulating,
    Credibility,
    Dated,
    Decided,
    HarmKind,
    Independence,
    Kind,
    Mechanism,
    Quorum,
    ReasonReopened,
    Relation,
    Resolver,
    Role,
    Severity,
    Stated,
    TimePrecision,
    VerificationState,
)
from services.contracts.examples.wire import ADA, BEN, CASE, ON_THE_DAY, PLACE, REPORT, Example, at, made_up, sealed

_QUORUM = Quorum(eligible=5, recused=1, required=3, in_favour=3)
_OTHER_CASE = made_up("another case")


def _of_case(name: str, data: CaseEvent, role: Role = Role.REVIEWER, version: int = 2) -> Example:
    return Example(name, f"case/{CASE}", data, role, version)


EXAMPLES = (
    _of_case(
        "on_graded_report",
        CaseOpened(
            kind=Kind.VIOLENCE,
            place=PLACE,
            occurred=ON_THE_DAY,
            threat_to_life=False,
            provisional=False,
            severity=Severity.MODERATE,
            summary=sealed("case", "summary", 128),
            actor_class=sealed("case", "actor_class"),
        ),
        version=1,
    ),
    _of_case(
        "provisional",
        CaseOpened(
            kind=Kind.VIOLENCE,
            place=PLACE,
            expected=Dated(starts=at().date(), ends=at(days=2).date(), precision=TimePrecision.DAY),
            threat_to_life=True,
            provisional=True,
            severity=Severity.EXTREME,
            ratify_by=at(hours=24),
            summary=sealed("case", "provisional summary", 128),
        ),
        Role.REFERRAL_OFFICER,
        version=1,
    ),
    _of_case("by_quorum", CaseRatified(quorum=_QUORUM)),
    _of_case("by_quorum", CaseNotRatified(quorum=_QUORUM, reason=sealed("case", "why not ratified"))),
    _of_case(
        "actor_class_changed",
        CaseClassified(
            kind=Kind.VIOLENCE,
            sub_kind=sealed("case", "sub_kind"),
            actor_class=sealed("case", "actor_class again"),
            actor_class_changed=True,
        ),
    ),
    _of_case("independent", CaseReportLinked(report_id=REPORT, independent=Independence.YES)),
    _of_case("of_another_incident", CaseReportUnlinked(report_id=REPORT, reason=sealed("case", "why unlinked"))),
    _of_case(
        "with_dissent",
        CaseAssessed(
            round=1,
            verification_state=VerificationState.PROBABLY_TRUE,
            credibility=Credibility.TWO,
            severity=Severity.SEVERE,
            harm=(Stated(what=HarmKind.INJURED, min=1, max=3),),
            circulating=Circulating.NOT,
            quorum=_QUORUM,
            dissent=(Dissent(by=BEN, severity=Severity.MODERATE, note=sealed("case", "dissent")),),
            evidence=(REPORT,),
            note=sealed("case", "assessment note"),
        ),
    ),
    _of_case(
        "rumour",
        CaseAssessed(
            round=2,
            verification_state=VerificationState.CONFIRMED_FALSE,
            credibility=Credibility.FIVE,
            severity=Severity.MINOR,
            circulating=Circulating.WIDELY,
            quorum=_QUORUM,
        ),
        version=3,
    ),
    _of_case(
        "a_range", CaseHarmRecorded(what=HarmKind.DISPLACED, min=40, max=120, basis=Basis.WITNESSED, counted_in=CASE)
    ),
    _of_case(
        "counted_elsewhere", CaseHarmRecorded(what=HarmKind.KILLED, min=1, basis=Basis.UNKNOWN, counted_in=_OTHER_CASE)
    ),
    _of_case("not_to_act", CaseDecided(choice=Decided.NO_ACTION, by=ADA, reason=sealed("case", "why no action"))),
    _of_case(
        "typed_in_later",
        CaseActionRecorded(
            what=ActionKind.MEDIATION, by=Resolver.COMMUNITY, done_at=at(hours=5), note=sealed("case", "what was done")
        ),
    ),
    _of_case(
        "in_another_home",
        CaseRelated(case_id=_OTHER_CASE, home="bi:c2015:gihanga", relation=Relation.RETALIATION_FOR),
    ),
    _of_case("after_all", CaseUnrelated(case_id=_OTHER_CASE, relation=Relation.RETALIATION_FOR), version=3),
    _of_case("absorbed", CaseMerged(into=_OTHER_CASE)),
    _of_case("absorbing", CaseMerged(absorbed=_OTHER_CASE)),
    _of_case("absorbing_what_waits", CaseMerged(absorbed=_OTHER_CASE, asked_since=at(hours=1))),
    _of_case("absorbed", CaseMergeReversed(into=_OTHER_CASE), version=3),
    _of_case("absorbing", CaseMergeReversed(absorbed=_OTHER_CASE), version=3),
    _of_case(
        "by_notables",
        CaseResolved(
            outcome=CaseOutcome.SETTLED,
            mechanism=Mechanism.COUNCIL_OF_NOTABLES,
            by=Resolver.COMMUNITY,
            done_at=at(days=3),
            note=sealed("case", "how resolved"),
        ),
        Role.REFERRAL_OFFICER,
    ),
    _of_case(
        "danger_returned", CaseReopened(reason=ReasonReopened.DANGER_RETURNED, note=sealed("case", "why reopened"))
    ),
    _of_case("work_over", CaseClosed(reason=sealed("case", "why closed"))),
)
