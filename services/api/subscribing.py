"""Being told of alerts by webhook: whoever may read them registers where to, and keeps what they registered.

These are no commands of the domain: nothing of them is in the ledger.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID

import orjson
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from events.alert import AlertChange
from events.command import Command, read_command
from events.level import Level
from events.vocabulary import Mode, UnitId, Word
from services.api.access import Reach
from services.api.body import read_body
from services.api.office import Asking, Office, who_asks
from services.api.problems import BAD_PARAMETER, Refused
from services.subscribers.addresses import LONGEST_URL
from services.subscribers.filters import LONGEST_WAIT_SECONDS, WAIT_SECONDS, Filters, Manner

NO_STORE = {"Cache-Control": "no-store"}
ADDRESS = "/v1/subscribers"

Position = Annotated[int, Field(ge=1, lt=2**53)]


class Grouping(Word):
    """What is sent in one notice, if anything."""

    PROVINCE = "province"


class Wanted(Command):
    """Where to send, and what: a unit stands for all that lies in it, a level counts on either side of a change, and
    what is left out is all there is; but without a word only what is actual is sent.

    `group_by` a province sends batches of CloudEvents: what comes of one within `group_seconds` of the first, at once
    where it is a crisis. `inhibit` holds back lower alerts while a higher one of a unit above them stands.
    """

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
    units: Annotated[tuple[UnitId, ...], Field(min_length=1, max_length=1_000)] | None = None
    minimum_level: Level | None = None
    changes: Annotated[tuple[AlertChange, ...], Field(min_length=1, max_length=20)] | None = None
    modes: Annotated[tuple[Mode, ...], Field(min_length=1, max_length=10)] = (Mode.ACTUAL,)
    group_by: Grouping | None = None
    group_seconds: Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS)] | None = None
    inhibit: bool = False

    @model_validator(mode="after")
    def _waits_for_a_group(self) -> Self:
        if self.group_seconds is not None and self.group_by is None:
            raise ValueError("group_seconds beside group_by; add it, or leave both out")
        return self

    def manner(self) -> Manner:
        if self.group_by is None:
            return Manner(inhibits=self.inhibit)
        waits = WAIT_SECONDS if self.group_seconds is None else self.group_seconds
        return Manner(True, waits, self.inhibit)

    def filters(self) -> Filters:
        return Filters(
            None if self.units is None else frozenset(self.units),
            self.minimum_level,
            None if self.changes is None else frozenset(one.value for one in self.changes),
            frozenset(mode.value for mode in self.modes),
        )


class Add(Wanted):
    """Register where to send alerts from now on, or from a position on; answers the secret that signs, once."""

    from_position: Position | None = None


class Change(Wanted):
    """Send elsewhere or something else from now on: the whole of it, as it is to be."""


class Rotate(Command):
    """Make a new secret, shown once; the one before it signs too for the time that is answered, and those before that
    for theirs; five sign at most."""


class Disable(Command):
    """Send nothing more, until it is enabled."""


class Enable(Command):
    """Go on where it stood, at once, also where it was disabled after long failure."""


class Remove(Command):
    """Send nothing more, and keep nothing of it: its URL, its secrets and what was sent to it are gone."""


class Resend(Command):
    """Send once more from a position on that it had come to, under the same ids."""

    from_position: Position


Perform = Callable[[Office, Asking, UUID, Any], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class SubscriberAct:
    """The route of one act on a subscriber."""

    name: str
    body: type[Command]
    perform: Perform

    @property
    def operation(self) -> str:
        return f"subscriber.{self.name}"

    @property
    def makes(self) -> bool:
        return self.body is Add

    @property
    def address(self) -> str:
        return ADDRESS if self.makes else f"{ADDRESS}/{{subscriber_id}}/{self.name}"


async def take(office: Office, act: SubscriberAct, request: Request) -> Response:
    """Do what was asked for and answer; raises whatever says no."""
    asking = who_asks(office, request, act.operation)
    subscriber_id = UUID(int=0) if act.makes else _subscriber_id(request)
    wanted = read_command(act.body, await read_body(request))
    told = await act.perform(office, asking, subscriber_id, wanted)
    status = 201 if act.makes else 200
    headers = NO_STORE | ({"Location": f"{ADDRESS}/{told['subscriber_id']}"} if act.makes else {})
    return Response(orjson.dumps(told), status, headers, media_type="application/json")


def owner(asking: Asking) -> UUID | None:
    """Whose subscribers they see and keep; None is everybody's."""
    return asking.bearer.person_id if asking.reach is Reach.OWN else None


def _subscriber_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["subscriber_id"])
    except ValueError:
        raise Refused(BAD_PARAMETER, "subscriber_id: expected an id (a UUID); copy it.") from None


def _read(office: Office, wanted: Wanted) -> tuple[str, Filters]:
    """The URL in its one spelling, and filters whose units there are; raises BadInput, NoSuchUnit, NotBegun."""
    url = office.reachable.read_url(wanted.url)
    for unit in wanted.units or ():
        office.country().gazetteer.unit(unit)
    return url, wanted.filters()


async def _add(office: Office, asking: Asking, _: UUID, wanted: Add) -> dict[str, Any]:
    url, filters = _read(office, wanted)
    person_id, manner = asking.bearer.person_id, wanted.manner()
    subscriber_id, secret = await office.register.add(person_id, url, filters, wanted.from_position, manner)
    return {"subscriber_id": str(subscriber_id), "secret": secret.get_secret_value()}


async def _change(office: Office, asking: Asking, subscriber_id: UUID, wanted: Change) -> dict[str, Any]:
    await office.register.change(owner(asking), subscriber_id, *_read(office, wanted), wanted.manner())
    return {"subscriber_id": str(subscriber_id)}


async def _rotate(office: Office, asking: Asking, subscriber_id: UUID, wanted: Rotate) -> dict[str, Any]:
    secret, until = await office.register.rotate(owner(asking), subscriber_id)
    return {
        "subscriber_id": str(subscriber_id),
        "secret": secret.get_secret_value(),
        "old_secret_ends_at": until,
    }


async def _disable(office: Office, asking: Asking, subscriber_id: UUID, wanted: Disable) -> dict[str, Any]:
    by = "whoever registered it" if asking.reach is Reach.OWN else "an admin"
    await office.register.disable(owner(asking), subscriber_id, f"{by} disabled it")
    return {"subscriber_id": str(subscriber_id)}


async def _enable(office: Office, asking: Asking, subscriber_id: UUID, wanted: Enable) -> dict[str, Any]:
    await office.register.enable(owner(asking), subscriber_id)
    return {"subscriber_id": str(subscriber_id)}


async def _resend(office: Office, asking: Asking, subscriber_id: UUID, wanted: Resend) -> dict[str, Any]:
    await office.register.resend(owner(asking), subscriber_id, wanted.from_position)
    return {"subscriber_id": str(subscriber_id)}


async def _remove(office: Office, asking: Asking, subscriber_id: UUID, wanted: Remove) -> dict[str, Any]:
    await office.register.remove(owner(asking), subscriber_id)
    return {"subscriber_id": str(subscriber_id)}


ACTS = (
    SubscriberAct("add", Add, _add),
    SubscriberAct("change", Change, _change),
    SubscriberAct("rotate", Rotate, _rotate),
    SubscriberAct("disable", Disable, _disable),
    SubscriberAct("enable", Enable, _enable),
    SubscriberAct("resend", Resend, _resend),
    SubscriberAct("remove", Remove, _remove),
)
"""Every act on a subscriber."""
