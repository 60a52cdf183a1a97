"""Who opened what, and why: the record of custody, written before a sealed text is shown.

Opening is a decision like any other. `OPENS` is the one table that says which role may open what: by whose key seals
it, and for which purposes. Area is checked where a request comes in; here nobody gets more than their role needs.

- reviewer: texts of reports and of cases, to review them and to correct them;
- referral officer: the same, to refer and to look after people;
- recipient: of a case nothing but the note of a referral;
- custodian: everything; what says who somebody is (whatever is under a person's own key, and contact, name, source or
  person under any key) only with two approvers, who are not the custodian;
- reporter, coordinator, analyst, auditor, consumer, admin, system and any role not known here: nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from events.event import Act, Event
from events.refusals import BadInput, NotNow
from events.sealed import KeyKind
from events.vocabulary import Actor, Open, Role, Value, Word

APPROVERS_FOR_A_PERSON = 2
"""Identity is opened with two approvers (design, protection)."""

SAY_WHO = frozenset({"contact", "name", "person", "person_name", "source"})
"""Fields that say who somebody is, under any key: a report of an unknown source keeps its contact under its own."""


class ViewPurpose(Word):
    """What a sealed text is opened for."""

    REVIEW = "review"
    REFERRAL = "referral"
    CARE = "care"
    CORRECTION = "correction"
    ERASURE = "erasure"
    AUDIT = "audit"
    EXPORT = "export"
    DISCLOSURE = "disclosure"


class RecordViewed(Event):
    """Sealed fields of one recorded event were opened. Stream: `custody/<id of the viewed record>`.

    `viewed` is the stream of the event, `viewed_version` its number there, `viewed_type` its wire name; `fields` the
    paths opened. Who opened them stands in the envelope; `approved_by` are those who agreed, where that was needed.
    """

    name: ClassVar[str] = "custody.record_viewed"

    viewed: Annotated[str, Field(pattern=r"^[a-z_]+/[A-Za-z0-9:._-]{1,100}$")]
    viewed_version: Annotated[int, Field(ge=1)]
    viewed_type: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    fields: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(min_length=1)]
    purpose: Open[ViewPurpose]
    approved_by: tuple[UUID, ...] = ()


class OpenedFields(Value):
    """Sealed fields of one recorded event that stand in clear in what was taken away."""

    viewed: Annotated[str, Field(pattern=r"^[a-z_]+/[A-Za-z0-9:._-]{1,100}$")]
    viewed_version: Annotated[int, Field(ge=1)]
    fields: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(min_length=1)]


class ExportMade(Event):
    """A case was taken away as an evidence pack. Stream: `custody/<id of the case>`.

    `exported` is the case's stream, `up_to` the last position of which the pack speaks, `events` how many are in it,
    and `manifest_hash` the SHA-256 of its manifest, which names every file of it by its own. Recorded before the pack
    is there. Who took it stands in the envelope; `in_clear` is what it shows of sealed texts: who agreed to that stands
    in the `custody.record_viewed` of each.
    """

    name: ClassVar[str] = "custody.export_made"

    exported: Annotated[str, Field(pattern=r"^case/[A-Za-z0-9:._-]{1,100}$")]
    up_to: Annotated[int, Field(ge=1)]
    events: Annotated[int, Field(ge=1)]
    manifest_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    purpose: Open[ViewPurpose]
    in_clear: tuple[OpenedFields, ...] = ()


class SubjectKeyDestroyed(Event):
    """Keys were destroyed, or a person erased with all that is theirs. Stream: `custody/<id of the destruction>`.

    `marks` are HMACs of the ids of what is gone, under a key that the vault alone has, among some of nothing: the ids
    themselves would say which texts were one person's. Whoever puts a vault back from a backup destroys it again.
    A person is erased by a custodian, whose envelope says so, and `approved_by` are those who agreed.
    """

    name: ClassVar[str] = "custody.subject_key_destroyed"

    marks: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...], Field(min_length=1)]
    approved_by: tuple[UUID, ...] = ()


class LogCheckpointed(Event):
    """What the log's first `size` positions are was signed. Stream: `custody/log`.

    `root` is the root of the Merkle tree over them (RFC 6962; base64) and `note` the whole signed note (C2SP
    tlog-checkpoint) with the signatures of the log's own keys. It comes after what it covers, often with other events
    between, and is itself covered by the next one.
    """

    name: ClassVar[str] = "custody.log_checkpointed"

    size: Annotated[int, Field(ge=1)]
    root: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
    note: Annotated[str, Field(min_length=1, max_length=10_000)]


@dataclass(frozen=True, slots=True)
class SealedField:
    """One sealed field of a recorded event, and whose key seals it."""

    path: str
    kind: KeyKind

    @property
    def says_who(self) -> bool:
        return self.kind is KeyKind.PERSON or not SAY_WHO.isdisjoint(self.path.split("."))


@dataclass(frozen=True, slots=True)
class Opens:
    """What a role may open: texts under keys of these kinds, for these purposes; `only` narrows to (type, field).

    A field that says who somebody is counts as under a person's key.
    """

    kinds: frozenset[KeyKind]
    purposes: frozenset[ViewPurpose]
    only: frozenset[tuple[str, str]] | None = None

    def covers(self, field: SealedField, purpose: ViewPurpose, viewed_type: str) -> bool:
        kind = KeyKind.PERSON if field.says_who else field.kind
        narrowed = self.only is None or (viewed_type, field.path) in self.only
        return kind in self.kinds and purpose in self.purposes and narrowed


_TEXTS = frozenset({KeyKind.REPORT, KeyKind.CASE})

OPENS: Mapping[Role, tuple[Opens, ...]] = {
    Role.REVIEWER: (Opens(_TEXTS, frozenset({ViewPurpose.REVIEW, ViewPurpose.CORRECTION})),),
    Role.REFERRAL_OFFICER: (
        Opens(_TEXTS, frozenset({ViewPurpose.REFERRAL, ViewPurpose.CARE, ViewPurpose.CORRECTION})),
    ),
    Role.RECIPIENT: (
        Opens(
            frozenset({KeyKind.CASE}),
            frozenset({ViewPurpose.REFERRAL}),
            only=frozenset({("case.referred", "note")}),
        ),
    ),
    Role.CUSTODIAN: (
        Opens(
            frozenset(KeyKind),
            frozenset(
                {
                    ViewPurpose.CARE,
                    ViewPurpose.CORRECTION,
                    ViewPurpose.ERASURE,
                    ViewPurpose.AUDIT,
                    ViewPurpose.EXPORT,
                    ViewPurpose.DISCLOSURE,
                }
            ),
        ),
    ),
}
"""Who may open what. A role that is not here opens nothing."""


class MayNotOpen(NotNow):
    """This role does not open this field for this purpose."""

    sentence = "the role {role} does not open {field} of {type} for {purpose}: ask somebody whose work it is"


class ClearNeedsApprovers(NotNow):
    """No text is taken away in clear unless two others said so."""

    sentence = "{field} of {type} leaves in clear when two others approved it: send both approvals along"


class NeedsApprovers(NotNow):
    """What says who somebody is, is opened with two approvers, other than the one who opens it."""

    sentence = "{field} of {type} says who a person is: name two approvers, neither of them yourself"


class ErasureNeedsApprovers(NeedsApprovers):
    """A person is erased with two approvers, other than the one who erases them."""

    sentence = (
        "a person is erased for ever: have two others approve that you erase this very person, and send both along"
    )


def view(
    act: Act,
    *,
    viewed: str,
    viewed_version: int,
    viewed_type: str,
    fields: Sequence[SealedField],
    purpose: ViewPurpose,
    approved_by: Sequence[UUID] = (),
) -> RecordViewed:
    """Decide whether these fields may be opened; raises BadInput, MayNotOpen or NeedsApprovers."""
    if not fields:
        raise BadInput.field("fields", "at least one sealed field", "name what you need to read")
    approvers = set(approved_by) - {act.by.ref, act.by.on_behalf_of}
    for field in fields:
        grants = OPENS.get(act.by.role, ())
        if not any(grant.covers(field, purpose, viewed_type) for grant in grants):
            raise MayNotOpen(role=act.by.role.value, field=field.path, type=viewed_type, purpose=purpose.value)
        if field.says_who and len(approvers) < APPROVERS_FOR_A_PERSON:
            raise NeedsApprovers(field=field.path, type=viewed_type)
    return RecordViewed(
        viewed=viewed,
        viewed_version=viewed_version,
        viewed_type=viewed_type,
        fields=tuple(field.path for field in fields),
        purpose=purpose,
        approved_by=tuple(dict.fromkeys(approved_by)),
    )


def refuse_erasure(by: Actor, approved_by: Sequence[UUID]) -> None:
    """Decide whether a person may be erased; raises ErasureNeedsApprovers."""
    if len({*approved_by} - by.people) < APPROVERS_FOR_A_PERSON:
        raise ErasureNeedsApprovers()


TAKEN_AWAY_FOR = frozenset({ViewPurpose.AUDIT, ViewPurpose.EXPORT, ViewPurpose.DISCLOSURE})
"""For what a case is taken away."""


def leave_in_clear(act: Act, *, viewed_type: str, fields: Sequence[str], approved_by: Sequence[UUID]) -> None:
    """Decide whether sealed texts may stand in clear in a pack; raises ClearNeedsApprovers.

    Whether this role opens them at all is decided by `view`, which comes beside it.
    """
    if len({*approved_by} - act.by.people) < APPROVERS_FOR_A_PERSON:
        raise ClearNeedsApprovers(field=fields[0], type=viewed_type)


def export(
    *,
    exported: str,
    up_to: int,
    events: int,
    manifest_hash: str,
    purpose: ViewPurpose,
    in_clear: Sequence[OpenedFields] = (),
) -> ExportMade:
    """Decide that a case is taken away; raises BadInput for a purpose that is no reason for it."""
    refuse_other_purposes(purpose)
    return ExportMade(
        exported=exported,
        up_to=up_to,
        events=events,
        manifest_hash=manifest_hash,
        purpose=purpose,
        in_clear=tuple(in_clear),
    )


def refuse_other_purposes(purpose: ViewPurpose) -> None:
    """Raises BadInput for a purpose for which no case is taken away."""
    if purpose not in TAKEN_AWAY_FOR:
        raise BadInput.field("purpose", "audit, export or disclosure", "choose what the pack is for")
