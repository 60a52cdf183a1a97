"""The words of the field: enums and small values that every event is made of.

The wire form of every enum is open (a later version may add a word): a word we do not know is kept as it came and
shown as `other`. Commands use the enums as they are, so a person who types an unknown word is told the known ones.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
)
from pydantic.annotated_handlers import GetCoreSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Word(StrEnum):
    """An enum whose wire form is open."""

    @classmethod
    def read(cls, value: str) -> Self:
        """Return the known member, or a pseudo-member that keeps the unknown word; never raises."""
        known = cls._value2member_map_.get(value)
        if known is not None:
            return known  # type: ignore[return-value]
        unknown = str.__new__(cls, value)
        unknown._name_ = "UNKNOWN_WORD"
        unknown._value_ = value
        return unknown

    @property
    def known(self) -> bool:
        return self.value in type(self)._value2member_map_

    @property
    def shown(self) -> str:
        """The word to show: itself, or `other` when a later version of the contract brought it."""
        return self.value if self.known else "other"


class _Open:
    """Marks an enum field of an event: read leniently, published with its known words."""

    def __get_pydantic_core_schema__(self, source: type[Word], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            source.read,
            core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
            metadata={"word": source},
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # `anyOf` with a bare string, because every validator and code generator reads that as an open list.
        word: type[Word] = schema["metadata"]["word"]
        return {
            "description": "Open: keep a word that is not listed and show it as `other`.",
            "anyOf": [{"enum": [member.value for member in word]}, {"type": "string"}],
        }


W = TypeVar("W", bound=Word)
Open = Annotated[W, _Open()]


# --- what a report is -------------------------------------------------------------------------------------------


class Kind(Word):
    """Kind of report or case, coarse; INAMA's own list with `displacement`."""

    TENSION = "tension"
    VIOLENCE = "violence"
    WEAPONS = "weapons"
    RUMOUR_OR_HATE_SPEECH = "rumour_or_hate_speech"
    ELECTORAL_IRREGULARITY = "electoral_irregularity"
    DETENTION_OR_RIGHTS = "detention_or_rights"
    DISPLACEMENT = "displacement"
    PEACE_INITIATIVE = "peace_initiative"
    RESPONSE_UPDATE = "response_update"
    COMMITMENT_UPDATE = "commitment_update"
    NOTHING_TO_REPORT = "nothing_to_report"


class Channel(Word):
    """How a message reached the network."""

    FORM = "form"
    SMS = "sms"
    VOICE = "voice"
    MESSENGER = "messenger"
    ODK = "odk"
    PARTNER = "partner"
    IN_PERSON = "in_person"


class Language(Word):
    """Languages of the network, ISO 639-1."""

    KIRUNDI = "rn"
    FRENCH = "fr"
    SWAHILI = "sw"
    ENGLISH = "en"


class Basis(Word):
    """How the source knows."""

    WITNESSED = "witnessed"
    TOLD_BY_WITNESS = "told_by_witness"
    HEARD_IN_PUBLIC = "heard_in_public"
    UNKNOWN = "unknown"


class RecordedBy(Word):
    """Who typed it in."""

    SELF = "self"
    COORDINATOR = "coordinator"
    OPERATOR = "operator"
    SYSTEM = "system"


class PeopleAgree(Word):
    """Whether the people concerned agree that this is shared."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


class TimePrecision(Word):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class PlacePrecision(Word):
    HILL = "hill"
    ZONE = "zone"
    COMMUNE = "commune"
    CITY = "city"
    PROVINCE = "province"
    COUNTRY = "country"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


class Urgency(Word):
    """CAP 1.2 urgency."""

    IMMEDIATE = "immediate"
    EXPECTED = "expected"
    FUTURE = "future"
    PAST = "past"
    UNKNOWN = "unknown"


class Flag(Word):
    """What a report's reader should doubt."""

    UNPLACED = "unplaced"
    CLOCK_DOUBTFUL = "clock_doubtful"


# --- what reviewers and the committee say -----------------------------------------------------------------------


class Reliability(Word):
    """Reliability of a source, Admiralty A–F. A new source starts at F: cannot be judged."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


class Credibility(Word):
    """Credibility of information, Admiralty 1–6, judged apart from the source; 6 cannot be judged."""

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    FIVE = "5"
    SIX = "6"


class VerificationState(Word):
    """How far a case is verified; after WikiRumours' states."""

    NEW = "new"
    UNDER_INVESTIGATION = "under_investigation"
    CONFIRMED_TRUE = "confirmed_true"
    PROBABLY_TRUE = "probably_true"
    PROBABLY_FALSE = "probably_false"
    CONFIRMED_FALSE = "confirmed_false"
    UNVERIFIABLE_LEANING_TRUE = "unverifiable_leaning_true"
    UNVERIFIABLE_LEANING_FALSE = "unverifiable_leaning_false"
    UNVERIFIABLE = "unverifiable"


class Severity(Word):
    """CAP 1.2 severity, without `unknown`."""

    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"


class Circulating(Word):
    """How far a rumour goes round; a rumour scores by its circulation, its truth is another field."""

    NOT = "not"
    LOCALLY = "locally"
    WIDELY = "widely"
    UNKNOWN = "unknown"


class Independence(Word):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Withdrawal(Word):
    """Why a report is taken back."""

    SOURCE_WITHDREW = "source_withdrew"
    FALSE = "false"
    DUPLICATE = "duplicate"
    UNSAFE = "unsafe"
    ENTERED_BY_MISTAKE = "entered_by_mistake"


class Recusal(Word):
    """Why a reviewer stands aside."""

    OWN_REPORT = "own_report"
    KNOWS_THE_PEOPLE = "knows_the_people"
    CONCERNED = "concerned"
    UNSAFE = "unsafe"
    OTHER = "other"


# --- what a case and its referrals are --------------------------------------------------------------------------


class HarmKind(Word):
    KILLED = "killed"
    INJURED = "injured"
    DETAINED = "detained"
    MISSING = "missing"
    DISPLACED = "displaced"
    HOUSES = "houses"


class Relation(Word):
    """How one case stands to another; may cross homes and moves nothing."""

    SAME_INCIDENT = "same_incident"
    CONTINUES = "continues"
    SPREAD_FROM = "spread_from"
    RETALIATION_FOR = "retaliation_for"
    SAME_GROUP_MOVED = "same_group_moved"


class Decided(Word):
    """An explicit choice, also not to act."""

    ACT_NOW = "act_now"
    SEEK_MORE = "seek_more"
    REFER = "refer"
    MONITOR = "monitor"
    NO_ACTION = "no_action"


class Verdict(Word):
    """A harm check's verdict on one recipient."""

    CLEAR = "clear"
    CONFLICT = "conflict"
    UNCLEAR = "unclear"


class ConsentBasis(Word):
    GIVEN = "given"
    GUARDIAN = "guardian"
    REFUSED = "refused"
    NOT_POSSIBLE = "not_possible"
    NO_PERSON_CONCERNED = "no_person_concerned"


class Purpose(Word):
    """What a referral is for."""

    PROTECTION = "protection"
    MEDIATION = "mediation"
    MEDICAL = "medical"
    LEGAL = "legal"
    INVESTIGATION = "investigation"
    VERIFICATION = "verification"
    INFORMATION = "information"


class Means(Word):
    PHONE = "phone"
    VISIT = "visit"
    LETTER = "letter"
    MESSAGE = "message"
    SYSTEM = "system"


class DataItem(Word):
    """What may go across with a referral: as little as its purpose needs."""

    PLACE = "place"
    DATES = "dates"
    KIND = "kind"
    SEVERITY = "severity"
    HARM = "harm"
    NARRATIVE = "narrative"
    CONTACT = "contact"
    ACTOR_CLASS = "actor_class"


class ReasonDeclined(Word):
    """Why a recipient does not take a referral."""

    NO_MANDATE = "no_mandate"
    LACK_OF_CAPACITY = "lack_of_capacity"
    UNSAFE = "unsafe"
    NOT_CREDIBLE = "not_credible"
    OTHER = "other"


class ReasonRevoked(Word):
    """Why the network takes a referral back."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    HARM_FEARED = "harm_feared"
    NO_LONGER_NEEDED = "no_longer_needed"
    SENT_BY_MISTAKE = "sent_by_mistake"
    OTHER = "other"


class ActionKind(Word):
    """What somebody did about a case."""

    VISIT = "visit"
    MEDIATION = "mediation"
    WARNING_GIVEN = "warning_given"
    SHELTER = "shelter"
    ESCORT = "escort"
    MEDICAL_HELP = "medical_help"
    ADVOCACY = "advocacy"
    PEACE_MESSAGE = "peace_message"
    OTHER = "other"


class ReasonReopened(Word):
    """Why a case is open again."""

    NEW_EVIDENCE = "new_evidence"
    OUTCOME_CONTRADICTED = "outcome_contradicted"
    DANGER_RETURNED = "danger_returned"
    ENDED_BY_MISTAKE = "ended_by_mistake"


class ReasonNot(Word):
    """Why a referral did not succeed; Primero's list."""

    REFUSED_SERVICES = "refused_services"
    LACK_OF_CAPACITY = "lack_of_capacity"
    NO_LONGER_NEEDED = "no_longer_needed"
    UNABLE_TO_CONTACT_CLIENT = "unable_to_contact_client"
    UNABLE_TO_CONTACT_ORGANISATION = "unable_to_contact_organisation"
    OTHER = "other"


class OutcomeFound(Word):
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"


class CaseOutcome(Word):
    SETTLED = "settled"
    PREVENTED = "prevented"
    SUBSIDED = "subsided"
    HARM_DONE = "harm_done"
    UNKNOWN = "unknown"


class Mechanism(Word):
    """What ended the danger."""

    MEDIATION = "mediation"
    COUNCIL_OF_NOTABLES = "council_of_notables"
    AUTHORITY = "authority"
    SECURITY_FORCES = "security_forces"
    COURT = "court"
    COMMUNITY = "community"
    ITSELF = "itself"
    UNKNOWN = "unknown"


class Resolver(Word):
    """Who ended the danger."""

    REPORTER = "reporter"
    NETWORK = "network"
    RECIPIENT = "recipient"
    COMMUNITY = "community"
    OTHERS = "others"
    UNKNOWN = "unknown"


class ActorClass(Word):
    """Class of an alleged actor, ACLED's eight and `unknown`; alleged, never found; sealed wherever it is written."""

    STATE_FORCES = "state_forces"
    REBEL_GROUPS = "rebel_groups"
    POLITICAL_MILITIAS = "political_militias"
    IDENTITY_MILITIAS = "identity_militias"
    RIOTERS = "rioters"
    PROTESTERS = "protesters"
    CIVILIANS = "civilians"
    EXTERNAL_OR_OTHER = "external_or_other"
    UNKNOWN = "unknown"


class RecipientClass(Word):
    """Class of a recipient of referrals in Burundi."""

    HILL_OR_QUARTER_CHIEF = "hill_or_quarter_chief"
    COUNCIL_OF_NOTABLES = "council_of_notables"
    BASHINGANTAHE = "bashingantahe"
    ZONE_OR_COMMUNE_ADMINISTRATION = "zone_or_commune_administration"
    JUDICIAL_POLICE = "judicial_police"
    COMMUNITY_POLICE = "community_police"
    JOINT_SECURITY_COMMITTEE = "joint_security_committee"
    RESIDENCE_COURT = "residence_court"
    HEALTH_FACILITY = "health_facility"
    LEGAL_AID = "legal_aid"
    HUMAN_RIGHTS_BODY = "human_rights_body"
    FAITH_WOMEN_OR_YOUTH_GROUP = "faith_women_or_youth_group"
    MEDIA = "media"
    UN_OR_DIPLOMATIC = "un_or_diplomatic"


# --- who acts, in what earnest ----------------------------------------------------------------------------------


class Role(Word):
    REPORTER = "reporter"
    COORDINATOR = "coordinator"
    REVIEWER = "reviewer"
    REFERRAL_OFFICER = "referral_officer"
    RECIPIENT = "recipient"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    CUSTODIAN = "custodian"
    CONSUMER = "consumer"
    ADMIN = "admin"
    SYSTEM = "system"


class Mode(Word):
    """In what earnest: projections and alerts count `actual` only; an exercise has its own."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"


# --- small values -----------------------------------------------------------------------------------------------


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
_MOMENT = re.compile(rf"{_DAY.pattern}[Tt ]{_CLOCK}([Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})?")


def _day(value: object) -> object:
    """Read a written day ourselves: a number, also one in quotes, would otherwise be seconds since 1970."""
    if isinstance(value, str):
        if not _DAY.fullmatch(value):
            raise ValueError("a date; write it like 2026-05-20")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("a day of the calendar; correct it") from None
    return _no_number(value, "2026-05-20")


def _moment(value: object) -> object:
    if isinstance(value, str):
        if not _MOMENT.fullmatch(value):
            raise ValueError("a date and time; write it like 2026-05-20T06:30:00+02:00")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValueError("a moment of the calendar; correct it") from None
    return _no_number(value, "2026-05-20T06:30:00+02:00")


def _no_number(value: object, example: str) -> object:
    if isinstance(value, int | float):
        raise ValueError(f"text, no number; write it like {example}")
    return value


def _utc(value: datetime) -> datetime:
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:  # also keeps the change to UTC inside what can be counted
        raise ValueError(f"a year from {EARLIEST_YEAR} to {LATEST_YEAR}; correct the year")
    return value.astimezone(UTC)


def wire_time(value: datetime) -> str:
    """RFC 3339 in UTC with six digits of a second and `Z`: one instant has one spelling."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


EARLIEST_YEAR, LATEST_YEAR = 1900, 9000
"""Years of a moment; nobody's memory and no deadline lies beyond."""

Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    AfterValidator(_utc),
    PlainSerializer(wire_time, return_type=str, when_used="json"),
]
"""An aware moment, kept in UTC, written by `wire_time`."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date as somebody states it."""

UnitId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:._-]{0,63}$")]
"""A place's permanent id (events/places)."""

HomeId = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9:._-]{0,63}|\*)$")]
"""A home's permanent id, the Kafka key; `*` goes to every partition."""

EVERY_HOME = "*"
"""The home of what concerns everybody: broadcast once to every partition under one position."""

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Round = Annotated[int, Field(ge=1, le=1_000)]


class Value(BaseModel):
    """A frozen value inside an event; attributes of a later version are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Toll(Value):
    """A number of people or houses as a range; `min` or `max` absent is not stated, 0 is none."""

    min: Count | None = None
    max: Count | None = None


class Quorum(Value):
    """Who could vote, who stood aside, how many were needed and how many were for it."""

    eligible: Count
    recused: Count
    required: Count
    in_favour: Count = Field(alias="for", serialization_alias="for")

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class Actor(Value):
    """Who acts: a role, a pseudonym that differs from case to case, and for whom, where for somebody else."""

    role: Role
    ref: UUID
    on_behalf_of: UUID | None = None

    @property
    def people(self) -> frozenset[UUID]:
        """Everybody who stands behind the act: none of them is a second person beside another of them."""
        return frozenset({self.ref, self.on_behalf_of or self.ref})

    @property
    def whose(self) -> UUID:
        """Whose view or word it is: that of the one for whom somebody acts, else their own."""
        return self.on_behalf_of or self.ref


class Stated(Toll):
    """What a report or an assessment says of one kind of harm."""

    what: Open[HarmKind]


class Dated(Value):
    """When something happened or is expected, as dates with their precision; times of day are sealed."""

    starts: date | None = Field(default=None, alias="from")
    ends: date | None = Field(default=None, alias="to")
    precision: Open[TimePrecision] = TimePrecision.DAY

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    @property
    def last(self) -> date | None:
        """The latest day it may have been, also where a doubtful message turned the two."""
        return max((day for day in (self.starts, self.ends) if day), default=None)

    @property
    def turned(self) -> bool:
        """Whether it is said to end before it starts."""
        return self.starts is not None and self.ends is not None and self.starts > self.ends


class Located(Value):
    """Where: a unit, how precisely it is known, and the gazetteer it was read in."""

    unit: UnitId
    precision: Open[PlacePrecision]
    gazetteer: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
