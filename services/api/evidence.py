"""Taking a case away as a pack, and agreeing that its texts leave in clear.

A pack is written into a file without a name and then sent, so that nothing of it is left by whoever ends this process;
so many are made and sent at once. It is on the log before its first byte goes out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import IO, Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field, SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from events.case.refusals import NoSuchCase
from events.command import Command, read_command
from events.custody import ViewPurpose
from events.refusals import BadInput
from services import clock
from services.api.body import read_body
from services.api.custody import NO_STORE, NOBODYS
from services.api.office import Asking, Office, who_asks
from services.api.problems import BAD_PARAMETER, CASE_TOO_LARGE, NO_ROOM_FOR_A_PACK, PACK_TOO_SLOW, Refused
from services.api.reading import Asked, Pieces
from services.desk.reading import Reading
from services.evidence.approving import approve as approve_clearing
from services.evidence.taking import Wanted
from services.local.problems import FolderUnusable
from services.moments import MomentRefused, read_moment
from services.notary.keys import LogKeysRefused
from services.notary.operator import published_keys
from services.notary.signed import NothingSigned
from services.trace.reading import TooMuch
from services.vault.approvals import LONGEST

ZIP = "application/zip"
PIECE = 262_144
MOST_EVENTS = 5_000
"""Events of one pack: so many are written well within the time that a request may take."""

TAKE_IT_THERE = "Have it taken where the network's stack runs: `intabaza evidence CASE FILE`"


class TakeEvidence(Command):
    """Take a case away as a zip that verifies offline, up to a moment; the log says that you took it.

    Each is another pack, also where the same is sent again. With `in_clear` it shows the texts of the case, never who
    somebody is: a custodian takes that, with two `approvals`, which are used up by it.
    """

    purpose: ViewPurpose
    as_of: Annotated[str | None, Field(max_length=60)] = None
    in_clear: bool = False
    approvals: Annotated[tuple[Annotated[SecretStr, Field(max_length=LONGEST)], ...], Field(max_length=5)] = ()


class ApproveEvidence(Command):
    """Agree that this custodian takes the case away with its texts in clear; good once, for a quarter of an hour."""

    purpose: ViewPurpose
    taker: UUID


@dataclass(frozen=True, slots=True)
class EvidenceAct:
    """The route of one act about evidence of a case."""

    address: str
    operation: str
    body: type[Command]
    perform: Callable[[Office, Asking, Request, UUID, Any], Awaitable[Response]]


async def serve(office: Office, act: EvidenceAct, request: Request) -> Response:
    """Do what was asked for and answer; raises whatever says no."""
    asking = who_asks(office, request, act.operation)
    try:
        case_id = UUID(request.path_params["case_id"])
    except ValueError:
        raise Refused(BAD_PARAMETER, "case_id: expected an id (a UUID); copy it from where it is listed.") from None
    return await act.perform(office, asking, request, case_id, read_command(act.body, await read_body(request)))


async def approve(office: Office, asking: Asking, request: Request, case_id: UUID, meant: ApproveEvidence) -> Response:
    """An approval, of a case in the approver's area."""
    case = await Reading(office.ledger, NOBODYS).case(case_id)
    await office.catch_up()
    if case.place is None or not asking.area.covers(office.network().gazetteer, case.place.unit):
        raise NoSuchCase()
    approval = await approve_clearing(
        office.ledger,
        office.desk.persons,
        office.approvals,
        case_id,
        meant.purpose,
        taker=meant.taker,
        approver=asking.bearer.person_id,
        now=clock.now(),
    )
    return Response(orjson.dumps({"approval": approval}), 200, NO_STORE, media_type="application/json")


async def take(office: Office, asking: Asking, request: Request, case_id: UUID, meant: TakeEvidence) -> Response:
    """The pack, sent from a file; its place among those that are made at once is free again when it is sent."""
    if meant.approvals and not meant.in_clear:
        raise BadInput.field("approvals", "none, since nothing in clear is asked for", "add in_clear or leave them out")
    person_id = asking.bearer.person_id
    office.limits.packs.take(person_id)
    limit = office.request_seconds * 0.9  # so that it is told by its own sentence
    try:
        async with asyncio.timeout(limit):
            whole = await _made(office, asking, request, case_id, meant)
    except BaseException as error:
        office.limits.packs.give_back(person_id)
        if (told := _told(error, limit)) is None:
            raise
        raise told from error
    return Pack(request, whole, case_id, lambda: office.limits.packs.give_back(person_id))


async def _made(office: Office, asking: Asking, request: Request, case_id: UUID, meant: TakeEvidence) -> IO[bytes]:
    wanted = Wanted(
        case_id,
        asking.bearer.person_id,
        asking.bearer.role,
        meant.purpose,
        None if meant.as_of is None else read_moment(meant.as_of),
        MOST_EVENTS,
        [one.get_secret_value() for one in meant.approvals] if meant.in_clear else None,
    )
    await office.catch_up()
    taking, sees = replace(office.taking, keys=await _keys(office)), Asked(office, asking, request).sees_of
    _, whole = await taking.take_away(wanted, sees, office.desk, office.approvals, None)
    return whole


async def _keys(office: Office) -> list[str]:
    """The keys that the pack claims; none where they are not known here, or nothing is signed."""
    try:
        return [str(one) for one in await published_keys(office.log_public_keys, office.proving.signed)]
    except (LogKeysRefused, NothingSigned):
        return []


def _told(error: BaseException, seconds: float) -> Refused | None:
    """What whoever asked is told of an error that only making a pack knows; None of any other."""
    match error:
        case TooMuch():
            return Refused(CASE_TOO_LARGE, f"{error} {TAKE_IT_THERE}, where --most lets more be in it.")
        case TimeoutError():
            return Refused(PACK_TOO_SLOW, f"Writing it took more than {seconds:g} seconds. {TAKE_IT_THERE}.")
        case MomentRefused():
            return Refused(BAD_PARAMETER, f"as_of: {error}")
        case FolderUnusable() | OSError():
            return Refused(
                NO_ROOM_FOR_A_PACK, f"The pack could not be written ({type(error.__cause__ or error).__name__})."
            )
    return None


class Pack(Pieces):
    """A pack that is sent in pieces; where that fails the connection is broken off, and its length says so."""

    def __init__(self, request: Request, whole: IO[bytes], case_id: UUID, ended: Callable[[], None]) -> None:
        headers = NO_STORE | {
            "Content-Length": str(whole.seek(0, 2)),
            "Content-Disposition": f'attachment; filename="case-{case_id}.zip"',
        }
        super().__init__(request, _pieces(whole), headers, ZIP)
        self._whole, self._ended = whole, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._whole.close()
            self._ended()


async def _pieces(whole: IO[bytes]) -> AsyncIterator[bytes]:
    whole.seek(0)
    while piece := whole.read(PIECE):
        yield piece


EVIDENCE = (
    EvidenceAct("/v1/cases/{case_id}/evidence", "custody.take-evidence", TakeEvidence, take),
    EvidenceAct("/v1/cases/{case_id}/approve-evidence", "custody.approve-evidence", ApproveEvidence, approve),
)
"""Every act about evidence."""
