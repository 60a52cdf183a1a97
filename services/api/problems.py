"""Why not: the numbered catalogue of problems (RFC 9457), and how every error of ours becomes one of them.

Numbers stay for ever. 1xxx: what was sent. 2xxx: who sent it. 3xxx: the state of things. 4xxx: us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from events import alert, custody, reference, reporter
from events.case import refusals as case
from events.places.faults import GazetteerFaulty, NoSuchDivision, NoSuchUnit
from events.places.lookup import Candidate
from events.refusals import BadInput, NotNow, Problem
from events.report import refusals as report
from services import area
from services.acts import placing
from services.acts.in_force import NotBegun
from services.api.mends import MENDS
from services.desk.reading import AnotherMode, MovedOn
from services.ledger import ledger
from services.notary import halts, keys, proving, signed, tree
from services.past.asking import NotYet
from services.subscribers import refused as subscribers
from services.vault import refused as vault

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """An entry of the catalogue: number, HTTP status, title, and what to do where the error itself does not say."""

    number: int
    status: int
    title: str
    mend: str = ""

    @property
    def to_do(self) -> str:
        """What to do, as its page says it."""
        return self.mend or MENDS[self.number]


class Refused(Exception):
    """The door itself says no, with an entry of the catalogue and a sentence."""

    def __init__(self, kind: Kind, detail: str, *fields: Problem, headers: Mapping[str, str] | None = None) -> None:
        self.kind, self.detail, self.fields, self.headers = kind, detail, fields, dict(headers or {})
        super().__init__(detail)


# --- what was sent ----------------------------------------------------------------------------------------------------

BAD_FIELD = Kind(1001, 422, "A field has a value that cannot be")
NO_JSON = Kind(1002, 400, "The body is no JSON object that can be read")
TOO_LARGE_BODY = Kind(1003, 413, "The body is too large")
NO_COMMAND_ID = Kind(1004, 400, "The command has no id")
BAD_PARAMETER = Kind(1005, 400, "A parameter of the address has a value that cannot be")
BAD_CURSOR = Kind(1006, 400, "The cursor is not one of this list")
NO_SUCH_PAGE = Kind(1007, 404, "Nothing is at this address")
NO_SUCH_METHOD = Kind(1008, 405, "This address does not take that method")
BAD_PRECONDITION = Kind(1009, 400, "If-Match is not an ETag of ours")
OTHER_MEDIA_TYPE = Kind(1010, 415, "The body is not sent as JSON")
AMBIGUOUS_PLACE = Kind(1011, 422, "The place's name is borne by several places")
NO_SUCH_RECIPIENT = Kind(1013, 404, "No such recipient")
UNKNOWN_PLACE = Kind(1014, 422, "No place bears this name")
NO_SUCH_ALERT = Kind(1015, 404, "No such alert")
NO_SUCH_EVENT = Kind(1016, 404, "No such event")
NO_SILENCE = Kind(1018, 404, "No such silence")
TOO_MUCH_RESTS_ON_IT = Kind(1017, 422, "More rests on it than one answer holds")

# --- who sent it ------------------------------------------------------------------------------------------------------

NO_TOKEN = Kind(2001, 401, "No valid token came with it")
NOT_THIS_ROLE = Kind(2002, 403, "This role may not do that")
OUTSIDE_AREA = Kind(2003, 403, "This lies outside your area")
TOO_MANY = Kind(2004, 429, "Too many requests")

TWO_APPROVERS = Kind(3502, 403, "Two approvers are needed")

# --- us ---------------------------------------------------------------------------------------------------------------

NOT_READY = Kind(4001, 503, "The network has not been begun", "begin it, then try again")
LEDGER_AWAY = Kind(4002, 503, "The ledger is away", "nothing was written: send the same again in a moment")
VAULT_AWAY = Kind(4003, 503, "The vault is away", "nothing was written: send the same again in a moment")
NOT_KNOWN = Kind(4004, 504, "It is not known whether this was written", "send the same again, under the same id")
DOOR_SHUT = Kind(4005, 503, "Appends are shut")
CLOCK_DOUBTFUL = Kind(4006, 503, "The clocks differ")
OUR_FAULT = Kind(4007, 500, "A fault of ours", "nothing is known to be lost: send the same again, under the same id")
READS_AWAY = Kind(4008, 503, "The projections cannot be read now", "try again in a moment")
NOT_YET = Kind(4009, 503, "This moment cannot be shown yet")
NOTHING_SIGNED = Kind(4010, 404, "The log has no checkpoint yet")
NOT_SIGNED = Kind(4011, 404, "No checkpoint covers that")
NO_BUNDLE = Kind(4012, 404, "An entry is too long for a bundle")
TREE_BEHIND = Kind(4013, 503, "The tree of the log is being built anew")
TREE_DAMAGED = Kind(4014, 500, "The tree of the log is damaged")
CASE_TOO_LARGE = Kind(4016, 422, "The case is too large for one answer")
PACK_TOO_SLOW = Kind(4017, 503, "Writing the pack took too long")
NO_ROOM_FOR_A_PACK = Kind(4018, 503, "There is no room to write the pack")
NO_LOG_KEYS = Kind(4019, 503, "The keys of the log are not known here")
CHECKPOINT_ALTERED = Kind(4020, 503, "A checkpoint of the log was altered")

REFUSALS: Mapping[type[Exception], Kind] = {
    # a report
    report.NoSuchReport: Kind(3101, 404, "No such report"),
    report.AlreadyReceived: Kind(3102, 409, "The report was received already"),
    report.ReportWithdrawnAlready: Kind(3103, 409, "The report is withdrawn"),
    report.ReportSupersededAlready: Kind(3104, 409, "The report was received again elsewhere"),
    report.OwnReport: Kind(3105, 403, "It is their own report"),
    report.AlreadyGraded: Kind(3106, 409, "Graded already in this round"),
    report.StoodAside: Kind(3107, 409, "They stood aside"),
    report.AnotherRound: Kind(3108, 409, "It is another round"),
    report.NoQuorum: Kind(3109, 409, "Too few have graded"),
    report.AnotherHome: Kind(3110, 409, "The place lies in another home"),
    report.WordsNotOpened: Kind(3111, 409, "Words of the report could not be carried on"),
    report.SameHome: Kind(3112, 409, "The place lies in the same home"),
    # a case
    case.NoSuchCase: Kind(3201, 404, "No such case"),
    case.CaseOpenAlready: Kind(3202, 409, "The case is open already"),
    case.CaseIsClosed: Kind(3203, 409, "The case is closed"),
    case.CaseNotRatifiedStands: Kind(3204, 409, "The case was not ratified"),
    case.CaseIsMerged: Kind(3205, 409, "The case was merged into another"),
    case.NothingGraded: Kind(3206, 409, "None of the reports is graded"),
    case.NoThreatToLife: Kind(3207, 409, "No life is threatened"),
    case.NotTheirsToOpen: Kind(3208, 403, "Not theirs to open"),
    case.NotProvisional: Kind(3209, 409, "The case is not provisional"),
    case.WaitsForRatification: Kind(3210, 409, "The case waits for ratification"),
    case.ReportDoesNotStand: Kind(3211, 409, "The report does not stand"),
    case.ReportElsewhere: Kind(3212, 409, "The report lies in another home"),
    case.LinkedAlready: Kind(3213, 409, "The report is linked already"),
    case.NotLinked: Kind(3214, 409, "The report is not linked"),
    case.RelatedAlready: Kind(3215, 409, "The cases are related already"),
    case.NotRelated: Kind(3216, 409, "The cases are not related"),
    case.ItselfMeant: Kind(3217, 409, "A case cannot mean itself"),
    case.MergedAcrossHomes: Kind(3218, 409, "Cases of two homes are not merged"),
    case.NotMerged: Kind(3219, 409, "The cases are not merged"),
    case.AnotherAssessmentRound: Kind(3220, 409, "It is another round of assessment"),
    case.NoCommitteeQuorum: Kind(3221, 409, "Too few of the committee agree"),
    case.TollCountsElsewhere: Kind(3222, 409, "The toll counts elsewhere"),
    case.TollsCountedApart: Kind(3223, 409, "The two cases count tolls apart"),
    case.ActorUnknownOrInConflict: Kind(3224, 409, "The actor is unknown or in conflict"),
    case.RecipientNotRegistered: Kind(3225, 409, "The recipient is not in the register"),
    case.RecipientNotForThis: Kind(3226, 409, "The recipient does not serve this"),
    case.NothingToRelease: Kind(3227, 409, "There is nothing to release"),
    case.SamePerson: Kind(3228, 403, "A second person is needed"),
    case.NoHarmCheck: Kind(3229, 409, "There is no such harm check"),
    case.CheckNotClear: Kind(3230, 409, "The harm check is not clear"),
    case.CheckTooOld: Kind(3231, 409, "The harm check is too old"),
    case.NoConsent: Kind(3232, 409, "There is no such consent"),
    case.WithoutConsent: Kind(3233, 409, "There is no consent to rest on"),
    case.ConsentWithdrawnAlready: Kind(3234, 409, "The consent is withdrawn"),
    case.NoSuchReferral: Kind(3235, 404, "No such referral"),
    case.ReferralGoesBack: Kind(3236, 409, "A referral never goes back"),
    case.NotCompleted: Kind(3237, 409, "The referral is not completed"),
    case.RecipientChecksItself: Kind(3238, 403, "A recipient does not check itself"),
    case.OpenReferrals: Kind(3239, 409, "Referrals are open"),
    case.NotEnded: Kind(3240, 409, "It has not ended"),
    case.GraverThanTheOther: Kind(3241, 409, "The case is graver than the other"),
    # a reporter, a register, custody
    reporter.EnrolledAlready: Kind(3301, 409, "The reporter is enrolled already"),
    reporter.NotEnrolled: Kind(3302, 409, "The reporter is not enrolled"),
    reporter.CoverageLeavesHome: Kind(3303, 409, "The coverage leaves its home"),
    reporter.SignGivenAlready: Kind(3304, 409, "A sign of life of that day is recorded already"),
    reference.InForceAlready: Kind(3401, 409, "It is in force already"),
    reference.EngineGoesBack: Kind(3402, 409, "An engine never goes back"),
    reference.HeldAlready: Kind(3403, 409, "The election was held already"),
    reference.WaivedAlready: Kind(3404, 409, "It was waived already"),
    reference.DiscontinuedClock: Kind(3405, 409, "The clock does not go on from there"),
    custody.MayNotOpen: Kind(3501, 403, "This role does not open that"),
    custody.NeedsApprovers: TWO_APPROVERS,
    custody.ClearNeedsApprovers: TWO_APPROVERS,
    custody.ErasureNeedsApprovers: TWO_APPROVERS,
    vault.NotSealed: Kind(3503, 404, "There is no such sealed field"),
    vault.KeyGone: Kind(3504, 410, "It is erased"),
    vault.NoSuchKey: Kind(4025, 410, "Its key is lost"),
    vault.CannotOpen: Kind(4026, 500, "A sealed text does not open where it stands"),
    vault.SourceDiffers: Kind(3505, 409, "The report has another source"),
    vault.ApprovalUsed: Kind(3506, 409, "The approval was used before"),
    # subscribers
    subscribers.NoSuchSubscriber: Kind(3601, 404, "No such subscriber"),
    subscribers.SubscribedAlready: Kind(3602, 409, "The URL is subscribed already"),
    subscribers.TooManySubscribers: Kind(3603, 409, "There are too many subscribers of yours"),
    subscribers.OwnerErased: Kind(3604, 410, "Whoever it would belong to is erased"),
    subscribers.TooManySecrets: Kind(3605, 409, "Too many secrets sign already"),
    # what strangers are told
    alert.NothingOverridden: Kind(3701, 409, "No override stands"),
    alert.AnotherAlert: Kind(3702, 409, "It is not the last alert"),
    alert.AcknowledgedAlready: Kind(3703, 409, "The alert was acknowledged already"),
    alert.TooManySilences: Kind(3704, 409, "Too many silences stand already"),
    alert.NothingSilenced: Kind(3705, 409, "No such silence stands"),
    # what is signed of the log
    signed.NothingCosigned: Kind(3706, 404, "This witness has cosigned nothing"),
    # everywhere
    NoSuchUnit: Kind(1101, 422, "No such unit"),
    NoSuchDivision: Kind(1102, 422, "No such division"),
    GazetteerFaulty: Kind(1103, 422, "The gazetteer cannot be used"),
    placing.AmbiguousPlace: AMBIGUOUS_PLACE,
    placing.UnknownPlace: UNKNOWN_PLACE,
    placing.PlaceUnclear: AMBIGUOUS_PLACE,
    BadInput: BAD_FIELD,
    area.OutsideArea: OUTSIDE_AREA,
    AnotherMode: Kind(3001, 409, "What is exercised never touches what is real"),
    MovedOn: Kind(3002, 412, "It has moved on since it was read"),
    ledger.Conflict: Kind(3003, 409, "Somebody else was faster, again and again", "read it again and decide again"),
    ledger.CommandReused: Kind(3004, 422, "The id was used for another command"),
    ledger.CommandBurned: Kind(3005, 409, "The id can no longer be used"),
    ledger.KeyDestroyed: Kind(3006, 410, "What it rests on is erased"),
    ledger.HomeChanged: Kind(3007, 409, "A stream never leaves its home"),
    ledger.TooLarge: Kind(1012, 413, "The event would be too large"),
    ledger.ClockDoubtful: CLOCK_DOUBTFUL,
    ledger.DoorShut: DOOR_SHUT,
    ledger.LedgerUnavailable: LEDGER_AWAY,
    ledger.Unknown: NOT_KNOWN,
    vault.VaultUnavailable: VAULT_AWAY,
    vault.NotDestroyed: DOOR_SHUT,
    NotBegun: NOT_READY,
    NotYet: NOT_YET,
    signed.NothingSigned: NOTHING_SIGNED,
    proving.BeyondSigned: NOT_SIGNED,
    proving.NoBundle: NO_BUNDLE,
    proving.TreeBehind: TREE_BEHIND,
    tree.TreeDamaged: TREE_DAMAGED,
    keys.LogKeysRefused: NO_LOG_KEYS,
    halts.NoCheckpoint: CHECKPOINT_ALTERED,
}
"""Which error becomes which problem; a class that is not here is looked for under what it inherits from."""


def kind_of(error: Exception) -> Kind:
    """The entry of the catalogue for an error; a fault of ours for one that nobody foresaw."""
    for ancestor in type(error).__mro__:
        if ancestor in REFUSALS:
            return REFUSALS[ancestor]
    return OUR_FAULT


def catalogue() -> Iterator[Kind]:
    """Every entry, in order of its number."""
    own = [one for one in globals().values() if isinstance(one, Kind)]
    yield from sorted({one.number: one for one in (*own, *REFUSALS.values())}.values(), key=lambda one: one.number)


@dataclass(slots=True)
class Told:
    """What a person is told: an entry with this time's sentence and fields."""

    kind: Kind
    detail: str
    fields: Sequence[Problem] = ()
    headers: dict[str, str] = field(default_factory=dict)
    candidates: Sequence[Candidate] | None = None

    @classmethod
    def of(cls, error: Exception) -> Told:
        """What an error of ours, or one that nobody foresaw, is told as; nothing that a database said is repeated."""
        if isinstance(error, Refused):
            return cls(error.kind, error.detail, error.fields, error.headers)
        kind = kind_of(error)
        if isinstance(error, BadInput):
            many = f"{len(error.problems)} fields have" if len(error.problems) > 1 else "One field has"
            told = cls(kind, f"{many} a value that cannot be; nothing was written.", error.problems)
            told.candidates = error.candidates if isinstance(error, placing.PlaceUnclear) else None
            return told
        if isinstance(error, NotNow):
            # An id at its beginning stays as it is: it is to be copied.
            return cls(kind, f"{str(error) if error.sentence.startswith('{') else _begun(str(error))}.")
        headers = {"Retry-After": "1"} if kind.status == 503 else {}
        said = str(error) if kind in (NOT_READY, DOOR_SHUT, CLOCK_DOUBTFUL) or not kind.mend else kind.mend
        return cls(kind, f"{_begun(said)}." if said else kind.title, headers=headers)

    def document(self) -> dict[str, Any]:
        """The members of RFC 9457, and ours: `number`, and `errors` with field, expected and mend."""
        told: dict[str, Any] = {
            "type": f"/problems/{self.kind.number}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "number": self.kind.number,
        }
        if self.fields:
            told["errors"] = [one.model_dump() for one in self.fields]
        if self.candidates is not None:
            told["candidates"] = [_candidate(one) for one in self.candidates]
        return told

    def response(self) -> Response:
        headers = dict(self.headers)
        if self.kind is NO_TOKEN:
            headers.setdefault("WWW-Authenticate", "Bearer")
        return Response(orjson.dumps(self.document()), self.kind.status, headers, media_type=MEDIA_TYPE)


def _begun(said: str) -> str:
    """As a sentence begins."""
    return said[:1].upper() + said[1:]


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "unit": one.unit_id,
        "unit_name": one.name,
        "kind": one.kind.value,
        "inside": one.inside,
        "in_force": one.in_force,
    }
