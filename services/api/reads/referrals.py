"""Who was asked for what, how far it has come, and what is due next. A recipient sees what was referred to it alone,
and of the case no more than was agreed to be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import asyncpg

from events.case.events import CaseAssessed, CaseEvent, CaseHarmRecorded, CaseOpened, CaseReferred
from events.case.refusals import NoSuchReferral
from events.case.state import Case, evolve
from events.catalogue import read
from events.event import Event
from events.vocabulary import DataItem, Dated
from projections.referral_board import PROJECTION
from projections.referral_board.table import SQL
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.records import NOBODYS, case_of, refuse_unseen, refuse_unseen_then
from services.api.reads.shown import UNIT, recipient_in_the_address, record_id
from services.api.reads.sql import READS_SQL
from services.api.reads.then import AS_OF, Fetch, Then, seen_page, seen_streams, then
from services.area import OutsideArea

OPEN_STATES = ["referred", "acknowledged", "accepted", "delivery_failed"]
RECIPIENT = Parameter("recipient", "Only those made to it, by its id in the register; may be repeated.", repeated=True)
STATE = Parameter("state", "Only in this state; may be repeated.", {"type": "string", "enum": OPEN_STATES}, True)
OVERDUE = Parameter("overdue", "Only those of which an answer is overdue.", {"type": "boolean"})

_SHOWN = (
    "referral_id",
    "recipient",
    "purpose",
    "state",
    "referred_at",
    "state_since",
    "acknowledge_by",
    "act_by",
    "next_due",
    "overdue_since",
    "outcome",
    "successful",
    "reason",
    "contradicted",
    "follows",
)


async def referrals(asked: Asked) -> Reply:
    """Open referrals by what is due next; a recipient's own."""
    recipients = asked.many("recipient")
    if asked.asking.recipient is not None:
        if recipients not in (None, [asked.asking.recipient]):
            raise OutsideArea()
        recipients = [asked.asking.recipient]
    after = asked.cursor(datetime, str, UUID)
    units, at = _units(asked), await then(asked, PROJECTION)
    filters = recipients, asked.many("state", OPEN_STATES), units, asked.yes("overdue")

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        return await asked.rows_of(SQL["board"], *filters, *after, asked.rows + 1, place=at.place)

    return await _page(asked, at, after, fetch)


def _units(asked: Asked) -> list[str] | None:
    """The units asked for; a recipient, who may not know where a case is, cannot ask by them."""
    if asked.asking.recipient is None:
        return asked.units()
    if asked.many("unit") is not None:
        raise Refused(BAD_PARAMETER, "unit: expected nothing from a recipient; leave it out.")
    return None


async def referral_counts(asked: Asked) -> Reply:
    """How many referrals each recipient has in which state, and of how many an answer is overdue.

    They are kept as sums. Of a moment whoever sees an area is told of cases that they still see, counted one by one.
    """
    at, units = await then(asked, PROJECTION), asked.units()
    streams = await seen_streams(asked, at, SQL["streams"], units)
    if streams is None:
        found = await asked.rows_of(SQL["counts"], units, place=at.place)
    else:
        found = await asked.rows_of(SQL["counts_of_cases"], units, streams, place=at.place)
    return Reply({"counts": [dict(row) for row in found], **at.spoken_of()})


async def recipient_referrals(asked: Asked) -> Reply:
    """Everything that one recipient was ever asked for, what is due next first."""
    recipient = recipient_in_the_address(asked)
    if asked.asking.recipient not in (None, recipient):
        raise OutsideArea()
    after = asked.cursor(datetime, str, UUID)
    units, at = _units(asked), await then(asked, PROJECTION)

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        wanted = recipient, units
        return await asked.rows_of(READS_SQL["of_recipient"], *wanted, *after, asked.rows + 1, place=at.place)

    return await _page(asked, at, after, fetch)


async def case_referrals(asked: Asked) -> Reply:
    """All referrals of one case, in the order in which they were made."""
    case_id, at = asked.id("case_id"), await then(asked, PROJECTION)
    await refuse_unseen(asked, case_id, at.position)
    found = await asked.rows_of(SQL["of_case"], f"case/{case_id}", place=at.place)
    return Reply({"referrals": [_referral(asked, row) for row in found], **at.spoken_of()})


async def referral(asked: Asked) -> Reply:
    """One referral, with what was agreed to be told of its case; narrative and contact are in its sealed note.

    Of a moment a recipient is told no more than now: of what was taken back since, nothing.
    """
    case_id, referral_id, own = asked.id("case_id"), asked.id("referral_id"), asked.asking.recipient
    if own is None:
        await case_of(asked, case_id)
    rows = await asked.office.ledger.read_stream(f"case/{case_id}")
    written = [read(row.wire()).data for row in rows]
    version, made = referral_made(written, referral_id, own)
    row = await _row_of(asked, case_id, referral_id, None)
    untold = own is not None and row["state"] in TAKEN_BACK
    each = [] if untold else [*_agreed(asked, written, made.minimum_data)]
    changes = [rows[at].position for at in range(version, len(each)) if each[at] != each[at - 1]]
    at = await then(asked, PROJECTION, changes)
    if at.position is not None:
        if own is None:
            refuse_unseen_then(asked, rows, at.position)
        if (known := sum(one.position <= at.position for one in rows)) < version:
            raise NoSuchReferral()
        row, each = await _row_of(asked, case_id, referral_id, at.place), each[:known]
        untold = untold or (own is not None and row["state"] in TAKEN_BACK)
    told = _referral(asked, row) | {"minimum_data": made.minimum_data, "agreed": None, "note": None}
    if not untold:
        told["agreed"] = each[-1]
        told["note"] = {"version": version, "field": "note"} if made.note is not None else None
    return Reply(told | at.spoken_of())


async def _row_of(asked: Asked, case_id: UUID, referral_id: UUID, place: str | None) -> asyncpg.Record:
    """How far a referral has come, or had; raises NoSuchReferral."""
    found = await asked.rows_of(SQL["of_case"], f"case/{case_id}", place=place)
    row = next((one for one in found if one["referral_id"] == referral_id), None)
    if row is None:
        raise NoSuchReferral()
    return row


TAKEN_BACK = frozenset({"revoked", "declined"})
"""States in which a recipient has nothing to know of the case any more."""


def referral_made(written: Sequence[Event], referral_id: UUID, own: str | None) -> tuple[int, CaseReferred]:
    """The event that made a referral, and its version; raises NoSuchReferral, also for one that is another's."""
    for version, event in enumerate(written, 1):
        if isinstance(event, CaseReferred) and event.referral_id == referral_id and own in (None, event.recipient):
            return version, event
    raise NoSuchReferral()


def _agreed(asked: Asked, written: Sequence[Event], items: Sequence[DataItem]) -> Iterator[dict[str, Any]]:
    """What the case says, after each event, of the items that may go across; what is sealed is in the note alone."""
    case, opened, severity = Case(NOBODYS), None, None
    harm: dict[str, dict[str, Any]] = {}
    for event in written:
        case = evolve(case, cast(CaseEvent, event))
        match event:
            case CaseOpened():
                opened, severity = event, event.severity
            case CaseAssessed():
                severity = event.severity
            case CaseHarmRecorded():
                harm[event.what] = event.model_dump(mode="json", include={"what", "min", "max", "basis"})
        if opened is None or case.place is None:
            yield {}
            continue
        dates = {name: one and one.model_dump(mode="json", by_alias=True) for name, one in _dates(opened)}
        told = {
            DataItem.PLACE: asked.country.coded(case.place.unit) | {"precision": case.place.precision},
            DataItem.DATES: dates,
            DataItem.KIND: case.kind,
            DataItem.SEVERITY: severity,
            DataItem.HARM: list(harm.values()),
        }
        yield {item.value: told[item] for item in items if item in told}


def _dates(opened: CaseOpened) -> Iterator[tuple[str, Dated | None]]:
    yield "occurred", opened.occurred
    yield "expected", opened.expected


async def _page(asked: Asked, at: Then, after: Sequence[Any], fetch: Fetch) -> Reply:
    shown, last = await seen_page(asked, at, after, ("deadline", "stream", "referral_id"), fetch)
    return Reply({"referrals": [_referral(asked, row) for row in shown], **at.spoken_of()}, after=last)


def _referral(asked: Asked, row: asyncpg.Record) -> dict[str, Any]:
    told = {"case_id": record_id(row["stream"])} | {name: row[name] for name in _SHOWN}
    if asked.asking.recipient is not None:
        return told  # where it is, is told only as far as it was agreed
    return told | asked.country.named(row["unit"]) | {"home": row["home"]}


READS = (
    Read("/v1/referrals", "read.referrals", referrals, (RECIPIENT, STATE, UNIT, OVERDUE, AS_OF), paged=True),
    Read("/v1/referrals/counts", "read.referral-counts", referral_counts, (UNIT, AS_OF)),
    Read("/v1/recipients/{recipient}/referrals", "read.referrals", recipient_referrals, (UNIT, AS_OF), paged=True),
    Read("/v1/cases/{case_id}/referrals", "read.case-referrals", case_referrals, (AS_OF,)),
    Read("/v1/cases/{case_id}/referrals/{referral_id}", "read.referrals", referral, (AS_OF,)),
)
