"""What is not about one report or case: reporters, reference, levels, alerts, custody."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from events.alert import (
    AlertAcknowledged,
    AlertChange,
    AlertIssued,
    AlertOverridden,
    AlertOverrideEnded,
    AlertSilenceAnnounced,
    AlertSilenced,
    AlertSilenceEnded,
    Code,
    KindGroup,
    OverrideReason,
    SilenceReason,
    SilenceStanding,
)
from events.custody import ExportMade, LogCheckpointed, OpenedFields, RecordViewed, SubjectKeyDestroyed, ViewPurpose
from events.level import (
    Awaited,
    Confidence,
    ConfidenceReason,
    Contribution,
    CoverageLost,
    CoverageRestored,
    LevelCause,
    LevelChanged,
    ResponseEscalated,
    ResponseOverdue,
)
from events.reference import (
    ClockTicked,
    ElectionDated,
    ElectionRound,
    ElectionStanding,
    EngineAdopted,
    EventWaived,
    GazetteerAdopted,
    LocalConflict,
    RecipientRegistered,
    RulesAdopted,
    TickReason,
    WaiverReason,
)
from events.reporter import ReporterCheckedIn, ReporterCoverageAssigned, ReporterEnrolled, ReporterStoodDown, StandDown
from events.vocabulary import ActorClass, Channel, Kind, Language, Mode, Purpose, RecipientClass, Role
from services.contracts.examples.referral import RECIPIENT
from services.contracts.examples.wire import (
    BEGINNING,
    CASE,
    COMMUNE,
    GAZETTEER,
    REFERRAL,
    REPORT,
    REPORTER,
    Example,
    at,
    made_up,
    made_up_hash,
    sealed,
)
from services.notary.checkpoint import HOME as LOG
from services.notary.checkpoint import STREAM, Checkpoint
from services.tlog.notes import Signer

_REPORTER = f"reporter/{REPORTER}"
_LEVEL = f"level/{COMMUNE}"
_RULES = made_up_hash("rules")
_SILENT_SINCE, _HEARD_SINCE = at(days=4).date(), at(days=5).date()


def _alert(change: AlertChange, before: int, after: int, **more: object) -> AlertIssued:
    told = AlertIssued(
        unit=COMMUNE,
        unit_name="Bubanza",
        codes=(Code(scheme="national", code="BI-CO-02-01"),),
        before=before,
        after=after,
        on=BEGINNING.date(),
        kinds=(KindGroup.VIOLENCE_AND_WEAPONS,),
        rules_hash=_RULES,
        change=change,
    )
    return told.model_copy(update=more)


def _told(case: str, alert: AlertIssued, version: int, mode: Mode = Mode.ACTUAL) -> Example:
    return Example(case, f"alert/{COMMUNE}", alert, Role.SYSTEM, version, mode=mode)


_OVERRIDDEN = AlertOverridden(
    unit=COMMUNE,
    level=2,
    until=at(days=9),
    reason=OverrideReason.LOCAL_KNOWLEDGE,
    note=sealed("a reviewer", "why overridden"),
)

_RAISED = _told("raised", _alert(AlertChange.RAISED, 1, 3), 1)

_ACKNOWLEDGED = AlertAcknowledged(
    unit=COMMUNE, alert_id=_RAISED.event_id, note=sealed("a coordinator", "why acknowledged")
)

_HELD_BACK = {
    "silence_id": made_up("silence"),
    "unit": COMMUNE,
    "unit_name": "Bubanza",
    "codes": (Code(scheme="national", code="BI-CO-02-01"),),
    "up_to_level": 3,
    "changes": (AlertChange.RAISED,),
    "kinds": (KindGroup.TENSION_AND_RUMOUR,),
    "until": at(days=6),
}
_SILENCED = AlertSilenced(**_HELD_BACK, reason=SilenceReason.PLANNED_EVENT, note=sealed("a reviewer", "why silenced"))
_SILENCE_ENDED = AlertSilenceEnded(silence_id=made_up("silence"), unit=COMMUNE)


def _announced(standing: SilenceStanding, version: int) -> Example:
    told = AlertSilenceAnnounced(**_HELD_BACK, standing=standing)
    return Example(f"silence_{standing.value}", f"alert/{COMMUNE}", told, Role.SYSTEM, version)


_LOG_KEY = Signer("intabaza.invalid/example", Ed25519PrivateKey.from_private_bytes(sha256(b"a log's key").digest()))
_SIGNED = Checkpoint.sign(_LOG_KEY.name, 1_204, sha256(b"a root").digest(), [_LOG_KEY])
_CHECKPOINTED = LogCheckpointed(size=_SIGNED.size, root=b64encode(_SIGNED.root).decode(), note=_SIGNED.note)

EXAMPLES = (
    Example(
        "after_training",
        _REPORTER,
        ReporterEnrolled(
            languages=(Language.KIRUNDI, Language.FRENCH),
            channels=(Channel.SMS, Channel.VOICE),
            trained=True,
            name_sealed=sealed("a reporter", "name"),
            contact=sealed("a reporter", "contact"),
        ),
        Role.COORDINATOR,
        version=1,
    ),
    Example(
        "weekly_by_sms",
        _REPORTER,
        ReporterCoverageAssigned(units=(COMMUNE,), channel=Channel.SMS, cadence_days=7),
        Role.COORDINATOR,
    ),
    Example(
        "of_a_day",
        _REPORTER,
        ReporterCheckedIn(
            on=BEGINNING.date(), channel=Channel.SMS, said=sealed("a reporter", "said", padded_bytes=256)
        ),
        Role.SYSTEM,
        version=3,
    ),
    Example(
        "for_safety",
        _REPORTER,
        ReporterStoodDown(reason=StandDown.SAFETY, note=sealed("a reporter", "why stood down")),
        Role.COORDINATOR,
        version=4,
    ),
    Example(
        "first",
        "reference/rules",
        RulesAdopted(rule_set="burundi", content_hash=_RULES, content='name = "burundi"\n'),
        Role.ADMIN,
        version=1,
    ),
    Example(
        "one_unit",
        "reference/gazetteer",
        GazetteerAdopted(
            gazetteer="bi-1",
            content_hash=GAZETTEER,
            content={"gazetteer_id": "bi", "units": {"columns": ["kind", "unit_id"], "rows": [["commune", COMMUNE]]}},
        ),
        Role.ADMIN,
        version=1,
    ),
    Example(
        "health_facility",
        f"reference/recipient-{RECIPIENT}",
        RecipientRegistered(
            recipient=RECIPIENT,
            recipient_class=RecipientClass.HEALTH_FACILITY,
            label="District hospital",
            serves=(COMMUNE,),
            purposes=(Purpose.MEDICAL,),
            conflicts_with=(),
            conflicts_locally=(LocalConflict(unit=COMMUNE, conflicts_with=(ActorClass.STATE_FORCES,)),),
        ),
        Role.ADMIN,
        version=1,
    ),
    Example(
        "announced",
        "reference/elections",
        ElectionDated(
            election="bi-2027-presidential",
            round=ElectionRound.PRESIDENTIAL,
            standing=ElectionStanding.ANNOUNCED,
            on=at(days=365).date(),
            campaign_from=at(days=348).date(),
            campaign_to=at(days=362).date(),
            source="Electoral commission, calendar",
        ),
        Role.ADMIN,
        version=1,
    ),
    Example("first", "reference/engines", EngineAdopted(projection="alert_level", number=1), Role.ADMIN, version=1),
    Example(
        "unreadable",
        "reference/waivers",
        EventWaived(
            projection="case_timeline",
            key="case/2b9a3d52-8f0e-8c1d-9a47-5d0f4b6e7a10",
            position=1234,
            why=WaiverReason.UNREADABLE,
        ),
        Role.ADMIN,
        version=1,
    ),
    Example(
        "midnight",
        "reference/clock",
        ClockTicked(nominal=BEGINNING.replace(hour=22, minute=0), reason=TickReason.MIDNIGHT),
        Role.SYSTEM,
        version=1,
    ),
    Example(
        "by_evidence",
        _LEVEL,
        LevelChanged(
            unit=COMMUNE,
            before=1,
            after=3,
            effective_at=at(),
            cause=LevelCause.EVIDENCE,
            points=52_500,
            contributions=(
                Contribution(
                    case_id=CASE, kind=Kind.VIOLENCE, given=60_000, faded=15_000, floor=0, rank=1, counted=45_000
                ),
                Contribution(
                    case_id=made_up("another case"),
                    kind=Kind.DETENTION_OR_RIGHTS,
                    given=15_000,
                    faded=0,
                    floor=5_000,
                    rank=2,
                    counted=7_500,
                ),
            ),
            open_cases=2,
            confidence=Confidence.LOW,
            confidence_reason=ConfidenceReason.COVERAGE_UNKNOWN,
            rules_hash=_RULES,
        ),
        Role.SYSTEM,
        version=1,
    ),
    Example(
        "acknowledgement",
        _LEVEL,
        ResponseOverdue(
            unit=COMMUNE, case_id=CASE, referral_id=REFERRAL, awaited=Awaited.ACKNOWLEDGEMENT, due=at(hours=6)
        ),
        Role.SYSTEM,
    ),
    Example(
        "second_rung",
        _LEVEL,
        ResponseEscalated(
            unit=COMMUNE,
            case_id=CASE,
            awaited=Awaited.REFERRAL_OR_DECISION,
            step=1,
            rung=2,
            tell=Role.ANALYST,
            due=at(days=2),
        ),
        Role.SYSTEM,
    ),
    Example("unit", _LEVEL, CoverageLost(unit=COMMUNE, since=_SILENT_SINCE, effective_at=at(days=4)), Role.SYSTEM),
    Example(
        "channel",
        _LEVEL,
        CoverageLost(unit=COMMUNE, channel=Channel.SMS, since=_SILENT_SINCE, effective_at=at(days=4)),
        Role.SYSTEM,
    ),
    Example("unit", _LEVEL, CoverageRestored(unit=COMMUNE, since=_HEARD_SINCE, effective_at=at(days=5)), Role.SYSTEM),
    Example(
        "channel",
        _LEVEL,
        CoverageRestored(unit=COMMUNE, channel=Channel.SMS, since=_HEARD_SINCE, effective_at=at(days=5)),
        Role.SYSTEM,
    ),
    _RAISED,
    _told("lowered", _alert(AlertChange.LOWERED, 3, 1, updates=_RAISED.event_id), 2),
    _told("corrected", _alert(AlertChange.CORRECTED, 3, 2, updates=_RAISED.event_id), 2),
    _told("cancelled", _alert(AlertChange.CANCELLED, 3, 1, cancels=_RAISED.event_id), 2),
    _told("exercise", _alert(AlertChange.RAISED, 0, 4), 1, Mode.EXERCISE),
    Example("for_a_week", f"alert/{COMMUNE}", _OVERRIDDEN, Role.REVIEWER, 3),
    Example("before_its_time", f"alert/{COMMUNE}", AlertOverrideEnded(unit=COMMUNE), Role.REFERRAL_OFFICER, 4),
    Example("for_a_festival", f"alert/{COMMUNE}", _SILENCED, Role.REVIEWER, 5),
    _announced(SilenceStanding.BEGINS, 6),
    Example("the_festival_is_over", f"alert/{COMMUNE}", _SILENCE_ENDED, Role.REVIEWER, 7),
    _announced(SilenceStanding.ENDS, 8),
    Example("within_the_hour", f"alert/{COMMUNE}", _ACKNOWLEDGED, Role.COORDINATOR, 2),
    Example(
        "for_review",
        f"custody/{REPORT}",
        RecordViewed(
            viewed=f"report/{REPORT}",
            viewed_version=1,
            viewed_type="report.received",
            fields=("text",),
            purpose=ViewPurpose.REVIEW,
        ),
        Role.REVIEWER,
        version=1,
    ),
    Example(
        "with_two_approvers",
        f"custody/{REPORT}",
        RecordViewed(
            viewed=f"report/{REPORT}",
            viewed_version=1,
            viewed_type="report.received",
            fields=("contact", "source"),
            purpose=ViewPurpose.DISCLOSURE,
            approved_by=(made_up("first approver"), made_up("second approver")),
        ),
        Role.CUSTODIAN,
    ),
    Example(
        "sealed",
        f"custody/{CASE}",
        ExportMade(
            exported=f"case/{CASE}",
            up_to=1234,
            events=37,
            manifest_hash=sha256(b"a manifest").hexdigest(),
            purpose=ViewPurpose.AUDIT,
        ),
        Role.AUDITOR,
        version=1,
    ),
    Example(
        "with_texts_in_clear",
        f"custody/{CASE}",
        ExportMade(
            exported=f"case/{CASE}",
            up_to=1240,
            events=39,
            manifest_hash=sha256(b"another manifest").hexdigest(),
            purpose=ViewPurpose.EXPORT,
            in_clear=(OpenedFields(viewed=f"report/{REPORT}", viewed_version=1, fields=("text",)),),
        ),
        Role.CUSTODIAN,
    ),
    Example(
        "among_others",
        f"custody/{made_up('a destruction')}",
        SubjectKeyDestroyed(marks=tuple(sorted(sha256(f"mark {number}".encode()).hexdigest() for number in range(8)))),
        Role.SYSTEM,
        version=1,
    ),
    Example(
        "of_a_person",
        f"custody/{made_up('an erasure')}",
        SubjectKeyDestroyed(
            marks=tuple(sorted(sha256(f"mark {number}".encode()).hexdigest() for number in range(8))),
            approved_by=(made_up("first approver"), made_up("second approver")),
        ),
        Role.CUSTODIAN,
        version=1,
    ),
    Example("by_one_key", STREAM, _CHECKPOINTED, Role.SYSTEM, version=1, home=LOG),
)
