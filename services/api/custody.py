"""Opening what is sealed: who may, each time under their own name, recorded before anything is shown, kept by nobody.

Who somebody is opens with two approvers. Each approves that very opening under their own token and is given an approval
(services/vault/approvals), which whoever opens sends along.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from events.case.refusals import NoSuchCase, NoSuchReferral
from events.case.state import Reached
from events.catalogue import read
from events.command import Command, read_command
from events.custody import ViewPurpose
from events.event import Act
from events.refusals import BadInput, Refusal
from events.report.refusals import NoSuchReport
from services import clock
from services.api.body import read_body
from services.api.office import Asking, Office, who_asks
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reads.referrals import referral_made
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Recorded
from services.vault.approvals import LONGEST, Opening
from services.vault.opening import sealed_fields

NOBODYS = UUID(int=0)
NO_STORE = {"Cache-Control": "no-store"}

Field300 = Annotated[str, Field(min_length=1, max_length=300)]


class Meant(Command):
    """Sealed fields of one event of a record, as a timeline lists them, and what they are opened for."""

    version: Annotated[int, Field(ge=1, le=10**9)]
    fields: Annotated[tuple[Field300, ...], Field(min_length=1, max_length=50)]
    purpose: ViewPurpose


class Open(Meant):
    """Open them; `approvals` where they say who somebody is."""

    approvals: Annotated[tuple[Annotated[SecretStr, Field(max_length=LONGEST)], ...], Field(max_length=5)] = ()


class Approve(Meant):
    """Agree that this person opens them."""

    opener: UUID


@dataclass(frozen=True, slots=True)
class Record:
    """The record of which something is opened, and the event meant; `about` is what pseudonyms are about."""

    stream: str
    about: UUID
    event: Recorded
    mode: Any


@dataclass(frozen=True, slots=True)
class Post:
    """The route of one act of custody."""

    address: str
    operation: str
    body: type[Meant]
    perform: Callable[[Office, Asking, Record, Any], Awaitable[dict[str, Any]]]

    @property
    def noun(self) -> str:
        return "report" if "/reports/" in self.address else "case"

    @property
    def name(self) -> str:
        """What this is called in the description of the API."""
        return f"{self.operation}-{self.noun}"


async def take(office: Office, post: Post, request: Request) -> Response:
    """Do what was asked for and answer; raises whatever says no."""
    asking = who_asks(office, request, post.operation)
    meant = read_command(post.body, await read_body(request))
    try:
        record_id = UUID(request.path_params[f"{post.noun}_id"])
    except ValueError:
        raise Refused(BAD_PARAMETER, f"{post.noun}_id: expected an id (a UUID); copy it.") from None
    find = _report if post.noun == "report" else _case
    record = await find(office, asking, record_id, meant)
    told = await post.perform(office, asking, record, meant)
    return Response(orjson.dumps(told), 200, NO_STORE, media_type="application/json")


async def open_fields(office: Office, asking: Asking, record: Record, meant: Open) -> dict[str, Any]:
    """The texts, after it was recorded who saw them."""
    act = await _act(office, asking, record, meant)
    opening = Opening(record.stream, meant.version, meant.fields, meant.purpose, act.by.ref)
    now = clock.now()
    approved = [office.approvals.approved(one.get_secret_value(), opening, now) for one in meant.approvals]
    approved_by = tuple({one.approver: None for one in approved})
    approvals = {one.approval_id for one in approved}
    texts = await office.opener.unseal(record.event, meant.fields, act, meant.purpose, approved_by, approvals)
    return {
        "version": meant.version,
        "texts": {field: text.get_secret_value() for field, text in texts.items()},
    }


async def approve(office: Office, asking: Asking, record: Record, meant: Approve) -> dict[str, Any]:
    """An approval of this opening, good once, for a quarter of an hour and for whoever it names; raises BadInput."""
    if meant.opener == asking.bearer.person_id:
        raise BadInput.field("opener", "somebody else than yourself", "ask another to approve it")
    approver = await office.desk.persons.pseudonym(asking.bearer.person_id, record.about)
    opener = await office.desk.persons.pseudonym(meant.opener, record.about)
    opening = Opening(record.stream, meant.version, meant.fields, meant.purpose, opener)
    return {"approval": office.approvals.grant(opening, approver, clock.now())}


async def _act(office: Office, asking: Asking, record: Record, meant: Meant) -> Act:
    order = Order(asking.bearer.person_id, asking.bearer.role, "", meant, record.stream, mode=record.mode)
    return await office.desk.act(order, record.about)


async def _report(office: Office, asking: Asking, report_id: UUID, meant: Meant) -> Record:
    reading = Reading(office.ledger, NOBODYS)
    report = await reading.report(report_id)
    await office.catch_up()
    gazetteer = office.network().gazetteer
    # To a recipient a report is not there: it opens the note of its own referral and nothing else.
    place = report.content.place if report.content and asking.recipient is None else None
    if place is None or not asking.area.covers(gazetteer, place.unit):
        raise NoSuchReport()
    stream = f"report/{report_id}"
    event = await _event(office, stream, meant)
    return Record(stream, report.first_received_as, event, reading.modes[stream])


async def _case(office: Office, asking: Asking, case_id: UUID, meant: Meant) -> Record:
    reading = Reading(office.ledger, NOBODYS)
    case = await reading.case(case_id)
    await office.catch_up()
    if case.place is None or not asking.area.covers(office.network().gazetteer, case.place.unit):
        raise NoSuchCase() if asking.recipient is None else NoSuchReferral()
    stream = f"case/{case_id}"
    if asking.recipient is None:
        return Record(stream, case_id, await _event(office, stream, meant), reading.modes[stream])
    event = await _event(office, stream, meant, NoSuchReferral())
    made = read(event.wire()).data
    _, referred = referral_made([made], getattr(made, "referral_id", NOBODYS), asking.recipient)
    if case.referrals[referred.referral_id].reached in (Reached.DECLINED, Reached.REVOKED):
        raise NoSuchReferral()
    return Record(stream, case_id, event, reading.modes[stream])


async def _event(office: Office, stream: str, meant: Meant, absent: Refusal | None = None) -> Recorded:
    """The event meant; raises `absent`, or else BadInput, where it is not there or has no such fields."""
    rows = await office.ledger.read_stream(stream, meant.version - 1)
    if not rows:
        raise absent or BadInput.field("version", "the version of an event of this record", "see its timeline")
    known = sealed_fields(rows[0])
    if not set(meant.fields) <= set(known):
        raise absent or BadInput.field(
            "fields", f"sealed fields of that event: {', '.join(known) or 'it has none'}", "choose among these"
        )
    return rows[0]


POSTS = (
    Post("/v1/reports/{report_id}/open", "custody.open", Open, open_fields),
    Post("/v1/cases/{case_id}/open", "custody.open", Open, open_fields),
    Post("/v1/reports/{report_id}/approve", "custody.approve", Approve, approve),
    Post("/v1/cases/{case_id}/approve", "custody.approve", Approve, approve),
)
"""What is posted and is no command of the domain."""
