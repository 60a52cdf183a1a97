"""The one wrapper of a command: who asks, what for, decide and append, wait if asked, answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from pydantic import Field, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from events.command import Command, Text, read_command
from events.envelope import named_id
from events.vocabulary import Mode, Role
from services.acts.network import Network
from services.acts.newcomer import Introduce, nobody_new, of_a_phone
from services.api import waiting
from services.api.body import read_body
from services.api.office import Asking, Office, who_asks
from services.api.problems import BAD_PARAMETER, BAD_PRECONDITION, NO_COMMAND_ID, NOT_THIS_ROLE, Refused
from services.desk.order import Order
from services.ledger.ledger import Accepted, LedgerError, Placed
from services.signs import Held

LONGEST_CLIENT_ID = 200
SPEAK_FOR_OTHERS = frozenset({Role.COORDINATOR, Role.REVIEWER, Role.REFERRAL_OFFICER})
"""Roles that may type in what somebody else of the network did."""

T = TypeVar("T")

_ETAG = re.compile(r'^(?:W/)?"([0-9]{1,18})"$')


class Beside(Command):
    """What may come with every command and is no field of it."""

    mode: Mode = Mode.ACTUAL
    on_behalf_of: UUID | None = None
    client_id: Annotated[SecretStr | None, Field(min_length=1, max_length=LONGEST_CLIENT_ID)] = None


class Whose(Command):
    """A person, by their id in the vault or by their phone."""

    person_id: UUID | None = None
    phone: Text | None = None

    async def named(self, network: Network, act: Callable[[UUID | None, Introduce], Awaitable[T]]) -> T:
        """Do `act` about them, who are made only when it is decided; None where neither is given. Raises BadInput."""
        if self.phone is not None:
            return await of_a_phone(network.desk.persons, self.phone.get_secret_value(), act)
        return await act(self.person_id, nobody_new)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request for a command, read and allowed; `begun` is None for what may come before a network has begun."""

    office: Office
    begun: Network | None
    asking: Asking
    order: Order[Any]
    about: UUID | None
    beside: Any

    @property
    def network(self) -> Network:
        """What the act rests on."""
        assert self.begun is not None
        return self.begun


Perform = Callable[[Sent], Awaitable[Accepted | Held]]


@dataclass(frozen=True, slots=True)
class Route:
    """The route of one command: `beside` reads what comes with it, `prepare` changes its fields before they are read
    as the command, `perform` does it, `makes` names the ids that follow from it. `instead` are fields of the command
    that may be left out, since `prepare` finds them. What is `held` is on the log later.
    """

    noun: str
    command: type[Command]
    perform: Perform
    beside: type[Beside] = Beside
    prepare: Callable[[Network, Any, UUID | None, dict[str, Any]], Awaitable[dict[str, Any]]] | None = None
    makes: tuple[str, ...] = ()
    path: str | None = None
    instead: frozenset[str] = frozenset()
    held: bool = False

    @property
    def about(self) -> bool:
        """Whether its address names the record that it is about."""
        return "{" in self.address

    @property
    def needs_network(self) -> bool:
        """What concerns everybody is adopted before anything else can be done."""
        return self.noun != "reference"

    @property
    def name(self) -> str:
        """The command's name in kebab case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.command.__name__).lower()

    @property
    def operation(self) -> str:
        return f"{self.noun}.{self.name}"

    @property
    def address(self) -> str:
        """Where it is posted to."""
        if self.path is not None:
            return self.path
        about = f"/{{{self.noun}_id}}" if self.noun in ("report", "case") else ""
        plural = "reference" if self.noun == "reference" else f"{self.noun}s"
        return f"/v1/{plural}{about}/{self.name}"


async def take(office: Office, route: Route, request: Request) -> Response:
    """Do what was asked for and answer; raises whatever says no."""
    asking = who_asks(office, request, route.operation)
    wanted = waiting.asked(request)
    about = _about(request, route)
    body = await read_body(request)
    mine = {name: body.pop(name) for name in list(body) if name in route.beside.model_fields}
    beside = read_command(route.beside, mine) if mine else _nothing_beside(route.beside)
    client_id = client_id_of(request, beside.client_id)
    if beside.on_behalf_of is not None and asking.bearer.role not in SPEAK_FOR_OTHERS:
        raise Refused(
            NOT_THIS_ROLE, f"The role {asking.bearer.role.value} acts for nobody else: leave on_behalf_of out."
        )
    await office.catch_up()
    network = office.network() if route.needs_network else None
    fields = body if route.prepare is None or network is None else await route.prepare(network, beside, about, body)
    order: Order[Any] = Order(
        asking.bearer.person_id,
        asking.bearer.role,
        client_id,
        read_command(route.command, fields),
        str(about) if about else route.noun,
        mode=beside.mode,
        on_behalf_of=beside.on_behalf_of,
        area=asking.area,
        recipient=asking.recipient,
        read_at=_read_at(request),
        command_id=office.desk.id_of(asking.bearer.person_id, client_id),
    )
    accepted = await route.perform(Sent(office, network, asking, order, about, beside))
    if isinstance(accepted, Held):
        return _held(accepted, wanted)
    return await _answer(office, route, order, accepted, wanted)


@cache
def _nothing_beside(beside: type[Beside]) -> Beside:
    """What most commands come with, read once for all of them."""
    return read_command(beside, {})


def _about(request: Request, route: Route) -> UUID | None:
    name = f"{route.noun}_id"
    if name not in request.path_params:
        return None
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise Refused(BAD_PARAMETER, f"{name}: expected an id (a UUID); copy it from where it is listed.") from None


def client_id_of(request: Request, in_body: SecretStr | None) -> str:
    """What the sender calls this command: the same at each try, another one for each other command."""
    header = request.headers.get("idempotency-key")
    own = in_body.get_secret_value() if in_body else None
    if header is not None and not 1 <= len(header) <= LONGEST_CLIENT_ID:
        raise Refused(NO_COMMAND_ID, f"Idempotency-Key: expected 1 to {LONGEST_CLIENT_ID} characters; shorten it.")
    if header and own and header != own:
        raise Refused(NO_COMMAND_ID, "Idempotency-Key and client_id differ: send one of them.")
    if (client_id := header or own) is None:
        raise Refused(
            NO_COMMAND_ID,
            "Send an id of your own making in the header Idempotency-Key or as client_id, and the same one if you send "
            "this again: so nothing is written twice.",
        )
    return client_id


def _read_at(request: Request) -> int | None:
    """The position that If-Match names: what its sender had read when they decided."""
    sent = request.headers.get("if-match")
    if sent is None or sent.strip() == "*":  # whatever version: what is not there at all is refused anyway
        return None
    if (found := _ETAG.match(sent.strip())) is None:
        raise Refused(BAD_PRECONDITION, "If-Match: expected one ETag as it was given with the record; copy it.")
    return int(found[1])


async def _answer(
    office: Office, route: Route, order: Order[Any], accepted: Accepted, wanted: tuple[waiting.Until, float] | None
) -> Response:
    placed = accepted.placed
    told: dict[str, Any] = {
        "position": placed[-1].position,
        "repeated": accepted.repeated,
        "events": [
            {
                "id": str(one.event_id),
                "stream": one.stream,
                "version": one.version,
                "position": one.position,
                "recorded_at": one.recorded_at,
            }
            for one in placed
        ],
    }
    command_id = office.desk.command_id(order)
    ids = {f"{thing}_id": str(named_id(command_id, thing)) for thing in route.makes}
    headers = {"Cache-Control": "no-store"}
    if placed[0].stream.startswith(("report/", "case/", "reference/")):
        headers["ETag"] = f'"{max(one.position for one in placed if one.stream == placed[0].stream)}"'
    if route.makes:
        headers["Location"] = _where(route, placed[-1], ids)
    status = 201 if route.makes and not accepted.repeated else 200
    if wanted is not None:
        reached = await _reached(office, placed[-1].position, *wanted)
        told[wanted[0].value] = reached
        if not reached:
            status, headers["Location"] = 202, _progress(office, order, placed[-1].position)
    return Response(orjson.dumps(told | ids), status, headers, media_type="application/json")


def _held(held: Held, wanted: tuple[waiting.Until, float] | None) -> Response:
    """The answer to what is not on the log yet: there is no position to ask about, and who would wait waits in vain."""
    told: dict[str, Any] = {"repeated": held.repeated, "held_until": held.until.isoformat()}
    if wanted is not None:
        told[wanted[0].value] = False
    return Response(orjson.dumps(told), 202, {"Cache-Control": "no-store"}, media_type="application/json")


def _where(route: Route, last: Placed, ids: Mapping[str, str]) -> str:
    """Where to read what was made; a check or a consent is read as the event that the case's timeline has of it."""
    record = f"/v1/{last.stream.replace('/', 's/', 1)}"
    match route.makes:
        case ("referral",):
            return f"{record}/referrals/{ids['referral_id']}"
        case ("silence",):
            return f"/v1/silences/{ids['silence_id']}"
        case ("check",) | ("consent",):
            return f"{record}/timeline?after={last.position - 1}&limit=1"
        case _:
            return record


def _progress(office: Office, order: Order[Any], position: int) -> str:
    """Where its sender, and nobody else, may ask how far it has come."""
    return f"/v1/positions/{position}?receipt={office.receipts.of(order.person_id, position)}"


async def _reached(office: Office, position: int, until: waiting.Until, seconds: float) -> bool:
    """Whether it came so far in this time. It is accepted whatever happens now, so nothing here says no."""
    try:
        row = (await office.ledger.read(position - 1, 1))[0]
        return await waiting.wait(office, position, row.home, until, seconds)
    except (LedgerError, Refused):
        return False
