"""Erasing a person: a custodian does it, with two approvals, each given under its approver's own token.

Approvers and custodian name the same person, by the phone or the id that they were told; whether the vault knows them
is told to nobody before two have agreed.
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

from events.command import Command, read_command
from services import clock
from services.api.body import read_body
from services.api.commanding import LONGEST_CLIENT_ID, Whose, client_id_of
from services.api.custody import NO_STORE
from services.api.office import Asking, Office, who_asks
from services.erasing import Doomed
from services.vault.approvals import LONGEST


class Named(Command):
    """Whom an act of erasing is about, by either their id in the vault or their phone."""

    who: Whose


class ErasePerson(Named):
    """Erase somebody for ever: their keys, the texts that speak of them, their phone, every link to them.

    Nothing can be opened again, here or from a backup. Sent again under its id it is answered as the first time.
    """

    approvals: Annotated[tuple[Annotated[SecretStr, Field(max_length=LONGEST)], ...], Field(max_length=5)] = ()
    client_id: Annotated[SecretStr | None, Field(min_length=1, max_length=LONGEST_CLIENT_ID)] = None


class ApproveErasure(Named):
    """Agree that this custodian erases them; good once, for a quarter of an hour."""

    eraser: UUID


Perform = Callable[[Office, Asking, Request, Doomed, Any], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ErasureAct:
    """The route of one act of erasing."""

    address: str
    operation: str
    body: type[Named]
    perform: Perform


async def take(office: Office, act: ErasureAct, request: Request) -> Response:
    """Do what was asked for and answer; raises whatever says no."""
    asking = who_asks(office, request, act.operation)
    meant = read_command(act.body, await read_body(request))
    phone = None if meant.who.phone is None else meant.who.phone.get_secret_value()
    doomed = await office.erasures.who(meant.who.person_id, phone)
    told = await act.perform(office, asking, request, doomed, meant)
    return Response(orjson.dumps(told), 200, NO_STORE, media_type="application/json")


async def erase(office: Office, asking: Asking, request: Request, doomed: Doomed, meant: ErasePerson) -> dict[str, Any]:
    """Where it is said on the log; no position where another command had erased them before."""
    approvals = [one.get_secret_value() for one in meant.approvals]
    client_id = client_id_of(request, meant.client_id)
    erased = await office.erasures.erase(doomed, asking.bearer.person_id, client_id, approvals, clock.now())
    placed = erased.placed
    return {
        "repeated": erased.repeated,
        "position": placed and placed.position,
        "recorded_at": placed and placed.recorded_at,
    }


async def approve(
    office: Office, asking: Asking, request: Request, doomed: Doomed, meant: ApproveErasure
) -> dict[str, Any]:
    """An approval, also where nobody is known by that, when it is good for nothing."""
    approver = asking.bearer.person_id
    return {"approval": await office.erasures.approve(doomed, meant.eraser, approver, clock.now())}


ERASURES = (
    ErasureAct("/v1/persons/erase", "custody.erase-person", ErasePerson, erase),
    ErasureAct("/v1/persons/approve-erasure", "custody.approve-erasure", ApproveErasure, approve),
)
"""Every act of erasing."""
