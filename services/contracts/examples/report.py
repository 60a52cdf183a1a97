"""A report's life: at a form, by message, graded, concluded, corrected, withdrawn, received again where it belongs."""

from __future__ import annotations

from events.report.events import (
    Carried,
    Graded,
    ReportConcluded,
    ReportCorrected,
    ReportGraded,
    ReportReceived,
    ReportRecused,
    ReportSuperseded,
    ReportWithdrawn,
)
from events.vocabulary import (
    Basis,
    Channel,
    Credibility,
    Dated,
    Flag,
    HarmKind,
    Kind,
    Language,
    Located,
    PeopleAgree,
    PlacePrecision,
    Quorum,
    RecordedBy,
    Recusal,
    Reliability,
    Role,
    Stated,
    TimePrecision,
    Urgency,
    Withdrawal,
)
from services.contracts.examples.wire import (
    ADA,
    BEN,
    COLETTE,
    GAZETTEER,
    HOME,
    ON_THE_DAY,
    PLACE,
    REPORT,
    Example,
    at,
    made_up,
    sealed,
)

_UNPLACED_REPORT = made_up("report from somewhere")
_STREAM = f"report/{REPORT}"
_ADAS_GRADE = Graded(by=ADA, round=1, reliability=Reliability.C, credibility=Credibility.TWO)
_BENS_GRADE = Graded(by=BEN, round=1, reliability=Reliability.C, credibility=Credibility.THREE)

AT_A_FORM = ReportReceived(
    channel=Channel.FORM,
    language=Language.KIRUNDI,
    kind=Kind.VIOLENCE,
    basis=Basis.WITNESSED,
    recorded_by=RecordedBy.COORDINATOR,
    people_agree_to_share=PeopleAgree.YES,
    place=PLACE,
    occurred=ON_THE_DAY,
    harm=(Stated(what=HarmKind.INJURED, min=1, max=3), Stated(what=HarmKind.KILLED, min=0, max=0)),
    urgency=Urgency.IMMEDIATE,
    received_at=at(),
    text=sealed("report", "text", 256),
    place_words=sealed("report", "place_words"),
    exact_times=sealed("report", "exact_times"),
    sub_kind=sealed("report", "sub_kind"),
    actor_class=sealed("report", "actor_class"),
    contact=sealed("a person", "contact"),
    source=sealed("a person", "source"),
)

MESSAGE_UNPLACED = ReportReceived(
    channel=Channel.SMS,
    language=Language.FRENCH,
    kind=Kind.TENSION,
    basis=Basis.HEARD_IN_PUBLIC,
    recorded_by=RecordedBy.SELF,
    people_agree_to_share=PeopleAgree.NOT_ASKED,
    place=Located(unit="unplaced", precision=PlacePrecision.UNKNOWN, gazetteer=GAZETTEER),
    occurred=Dated(starts=at(days=10).date(), precision=TimePrecision.WEEK),
    urgency=Urgency.UNKNOWN,
    flags=(Flag.UNPLACED, Flag.CLOCK_DOUBTFUL),
    received_at=at(),
    text=sealed("another report", "text", 128),
    place_words=sealed("another report", "place_words"),
)

RECEIVED_AGAIN = MESSAGE_UNPLACED.model_copy(
    update={
        "place": PLACE,
        "flags": (Flag.CLOCK_DOUBTFUL,),
        "text": sealed("report received again", "text", 128),
        "place_words": sealed("report received again", "place_words"),
        "carried": Carried(
            supersedes=_UNPLACED_REPORT,
            first_received_as=_UNPLACED_REPORT,
            received_before=(_UNPLACED_REPORT,),
            round=1,
            grades=(_ADAS_GRADE,),
            recused=(COLETTE,),
            reliability=Reliability.F,
            credibility=Credibility.SIX,
        ),
    }
)

EXAMPLES = (
    Example("at_a_form", _STREAM, AT_A_FORM, Role.COORDINATOR, version=1, on_behalf_of=made_up("the reporter")),
    Example(
        "message_unplaced", f"report/{_UNPLACED_REPORT}", MESSAGE_UNPLACED, Role.SYSTEM, version=1, home="unplaced"
    ),
    Example(
        "received_again",
        f"report/{made_up('report received again')}",
        RECEIVED_AGAIN,
        Role.COORDINATOR,
        version=1,
        causation_id=made_up("the event that superseded"),
    ),
    Example(
        "with_note",
        _STREAM,
        ReportGraded(
            by=ADA, round=1, reliability=Reliability.C, credibility=Credibility.TWO, note=sealed("report", "note")
        ),
        Role.REVIEWER,
    ),
    Example(
        "knows_the_people", _STREAM, ReportRecused(by=COLETTE, round=1, reason=Recusal.KNOWS_THE_PEOPLE), Role.REVIEWER
    ),
    Example(
        "with_dissent",
        _STREAM,
        ReportConcluded(
            round=1,
            reliability=Reliability.C,
            credibility=Credibility.TWO,
            quorum=Quorum(eligible=5, recused=1, required=2, in_favour=2),
            dissent=(_BENS_GRADE,),
        ),
        Role.REVIEWER,
        version=5,
    ),
    Example(
        "dates_and_harm",
        _STREAM,
        ReportCorrected(
            occurred=ON_THE_DAY,
            harm=(Stated(what=HarmKind.INJURED, min=2),),
            no_longer_stated=("exact_times",),
            reason=sealed("report", "reason"),
        ),
        Role.REVIEWER,
        version=3,
    ),
    Example(
        "unsafe",
        _STREAM,
        ReportWithdrawn(reason=Withdrawal.UNSAFE, note=sealed("report", "why unsafe")),
        Role.COORDINATOR,
        version=6,
    ),
    Example(
        "placed_elsewhere",
        f"report/{_UNPLACED_REPORT}",
        ReportSuperseded(received_again_as=made_up("report received again"), home=HOME),
        Role.COORDINATOR,
        home="unplaced",
    ),
)
