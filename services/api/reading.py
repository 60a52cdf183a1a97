"""The one wrapper of a read: who asks, how far they see, which page; and the answer with its ETag and links."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from services.api.access import Reach, reach
from services.api.connection import break_off
from services.api.country import ALL, NOTHING, Country, Sight
from services.api.office import Asking, Office, who_asks
from services.api.problems import BAD_CURSOR, BAD_PARAMETER, Refused
from services.area import OutsideArea

JSON = "application/json"
PASSING = "private, no-cache"
LASTING = "private, max-age=31536000, immutable"
PIECE_SECONDS = 30.0
"""A client that takes no piece of an answer for so long is cut off."""

MOST_ROWS = 200
DEFAULT_ROWS = 50
MOST_VALUES = 100
LONGEST_VALUE = 200
PAGED = frozenset({"limit", "cursor"})

INFINITY = datetime.max  # noqa: DTZ901 - how asyncpg reads and writes infinity
_log = structlog.get_logger(__name__)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}\+00:00")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a read answers. `position` is that of the last event of the one record that is shown, from which the ETag
    follows, as `If-Match` takes it. `after` is the key of the last row of a page that is not the last one. A document
    that is no JSON is its bytes, or pieces that come as they are read. An `etag` of its own is weak: the same is said
    under it, in other bytes perhaps."""

    document: Any
    position: int | None = None
    after: Sequence[Any] | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a read, allowed: what it may see, and its parameters."""

    office: Office
    asking: Asking
    request: Request

    # --- what it may see ----------------------------------------------------------------------------------------------

    @property
    def country(self) -> Country:
        """The gazetteer in force; raises NotBegun."""
        return self.office.country()

    @property
    def sight(self) -> Sight:
        """The rows that may be seen."""
        match self.asking.reach:
            case Reach.AREA:
                return self.country.reach(self.asking.bearer.area)
            case Reach.OWN:
                return Sight(frozenset(), self.asking.recipient) if self.asking.recipient else NOTHING
            case Reach.EVERYWHERE | Reach.COUNTRY:
                return ALL

    def may(self, operation: str) -> bool:
        """Whether their role would be granted this too: who is granted less is shown less."""
        return reach(operation, self.asking.bearer.role) is not None

    def sees(self, unit: str) -> bool:
        """Whether what lies in this unit may be seen."""
        return (seen := self.sight.units) is None or unit in seen

    def sees_of(self, unit: str | None) -> bool:
        """The same of what may lie in no unit that is known (None): whoever sees only an area does not see that."""
        return self.sight.units is None if unit is None else self.sees(unit)

    def refuse_outside(self, unit: str) -> None:
        """Raises OutsideArea: of a unit, which is no secret; a record outside is as if there were none."""
        if not self.sees(unit):
            raise OutsideArea()

    def units(self, name: str = "unit") -> list[str] | None:
        """The units whose rows are asked for and may be seen, with all that lies in them; None is all there are."""
        wanted = self.many(name)
        return self.sight.of(None if wanted is None else self.country.within(frozenset(wanted)))

    async def rows_of(self, query: str, *arguments: object, place: str | None = None) -> list[asyncpg.Record]:
        """Rows of a projection, live or in another place, with the eyes of whoever asks."""
        return await self.office.projections.read(self.sight, query, *arguments, place=place)

    # --- its parameters -----------------------------------------------------------------------------------------------

    def id(self, name: str) -> UUID:
        """An id from the address; raises Refused."""
        try:
            return UUID(self.request.path_params[name])
        except ValueError:
            raise Refused(BAD_PARAMETER, f"{name}: expected an id (a UUID); copy it from where it is listed.") from None

    def one(self, name: str, words: Sequence[str] | None = None) -> str | None:
        """A parameter that may be given once; raises Refused for a word that is not one of these."""
        values = self.many(name, words)
        if values is not None and len(values) > 1:
            raise Refused(BAD_PARAMETER, f"{name}: expected once; leave the others out.")
        return values[0] if values else None

    def many(self, name: str, words: Sequence[str] | None = None) -> list[str] | None:
        """A parameter that may be given several times; None where it is not."""
        if not self.request.scope["query_string"]:  # most reads: to look into nothing took a tenth of one
            return None
        values = self.request.query_params.getlist(name)
        if len(values) > MOST_VALUES:
            raise Refused(BAD_PARAMETER, f"{name}: expected at most {MOST_VALUES} times; ask in parts.")
        for value in values:
            if words is not None and value not in words:
                raise Refused(BAD_PARAMETER, f"{name}: expected one of {', '.join(words)}; choose one of these.")
            if "\x00" in value or len(value) > LONGEST_VALUE:
                raise Refused(
                    BAD_PARAMETER,
                    f"{name}: expected at most {LONGEST_VALUE} characters, none of them NUL; shorten it.",
                )
        return values or None

    def yes(self, name: str) -> bool:
        """Whether a parameter says true; false where it is left out."""
        return self.one(name, ("true", "false")) == "true"

    @property
    def rows(self) -> int:
        """How many rows a page has."""
        text = self.one("limit") or str(DEFAULT_ROWS)
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_ROWS):
            raise Refused(BAD_PARAMETER, f"limit: expected 1 to {MOST_ROWS}; correct it or leave it out.")
        return int(text)

    def cursor(self, *kinds: type) -> list[Any]:
        """The key after which the page begins, one None for each of `kinds` on the first; raises Refused.

        A cursor belongs to the list that gave it: the same address, filters and rights.
        """
        if (sent := self.one("cursor")) is None:
            return [None for _ in kinds]
        try:
            list_of, *key = orjson.loads(base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4)))
            if list_of != self._list or len(key) != len(kinds):
                raise ValueError
            return [_read_part(kind, part) for kind, part in zip(kinds, key, strict=True)]
        except (ValueError, TypeError):
            raise no_such_cursor() from None

    def next_page(self, after: Sequence[Any] | None) -> str:
        """The address of the page after this key; of the first one without a key."""
        parameters = [(name, value) for name, value in self.request.query_params.multi_items() if name != "cursor"]
        if after is not None:
            key = orjson.dumps([self._list, *map(_written_part, after)])
            parameters.append(("cursor", base64.urlsafe_b64encode(key).decode().rstrip("=")))
        return self._address(parameters)

    def this_page(self) -> str:
        """The address that was asked for."""
        return self._address(self.request.query_params.multi_items())

    def _address(self, parameters: Sequence[tuple[str, str]]) -> str:
        path = self.request.url.path
        return f"{path}?{urlencode(parameters)}" if parameters else path

    @property
    def _list(self) -> str:
        filters = sorted(one for one in self.request.query_params.multi_items() if one[0] not in PAGED)
        return sha256(orjson.dumps([self.request.url.path, filters, self.asking.bearer.role.value])).hexdigest()[:16]


def no_such_cursor() -> Refused:
    return Refused(BAD_CURSOR, "cursor: expected one that this list gave; begin again without it.")


def _read_part(kind: type, part: Any) -> Any:
    """One part of a cursor's key, as the database takes it; raises ValueError for what it could not be."""
    if kind is datetime and part == "infinity":
        return INFINITY
    if kind is datetime and isinstance(part, str) and _MOMENT.fullmatch(part):
        return datetime.fromisoformat(part)
    if kind is UUID and isinstance(part, str):
        return UUID(part)
    if kind is str and isinstance(part, str) and "\x00" not in part:
        return part
    if kind is bool and isinstance(part, bool):
        return part
    if kind is int and type(part) is int and 0 <= part < 2**53:
        return part
    raise ValueError


def _written_part(part: Any) -> Any:
    if isinstance(part, datetime):
        return "infinity" if part.replace(tzinfo=None) == INFINITY else part.isoformat()
    if isinstance(part, UUID):  # asyncpg's own kind of it, of which orjson knows nothing
        return str(part)
    return part


Handler = Callable[[Asked], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a read, for its description."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    repeated: bool = False
    required: bool = False
    listed: bool = False
    """Whether its values stand in one text, with commas between."""


@dataclass(frozen=True, slots=True)
class Read:
    """The route of one read."""

    address: str
    operation: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    paged: bool = False
    media_type: str = JSON
    example: Callable[[], Any] | None = None
    links: bool = True
    """Whether the next page stands in the header `Link`; else it stands in the document."""
    lasts: bool = False
    """Whether what it answers once, it answers for ever."""
    open_end: bool = False
    """Whether the last name of its address stands for all that follows, with the slashes in it."""

    @property
    def pattern(self) -> str:
        """Its address as it is served."""
        return f"{self.address[:-1]}:path}}" if self.open_end else self.address

    @property
    def name(self) -> str:
        """What this read is called in the description of the API."""
        return self.handler.__name__

    @property
    def known(self) -> frozenset[str]:
        """The names of its parameters."""
        return frozenset(one.name for one in self.parameters) | (PAGED if self.paged else frozenset())


async def answer(office: Office, read: Read, request: Request) -> Response:
    """Answer a read; raises whatever says no."""
    asking = who_asks(office, request, read.operation)
    if request.scope["query_string"]:
        refuse_unknown(request, read.known)
    asked = Asked(office, asking, request)
    reply = await read.handler(asked)
    body = reply.document if isinstance(reply.document, bytes | AsyncIterator) else _json(reply.document)
    etag = _etag(reply, body)
    headers = {"Cache-Control": LASTING if read.lasts else PASSING, "Vary": "Authorization", "ETag": etag}
    if (known := request.headers.get("if-none-match")) is not None and _is_known(etag, known):
        return Response(status_code=304, headers=headers)
    if reply.after is not None and read.links:
        headers["Link"] = f'<{asked.next_page(reply.after)}>; rel="next"'
    if isinstance(body, bytes):
        return Response(body, 200, headers, media_type=read.media_type)
    return Pieces(request, body, headers, read.media_type)


class Pieces(StreamingResponse):
    """An answer that is read while it is sent. Where that fails the connection is broken off: half is no answer."""

    def __init__(
        self, request: Request, pieces: AsyncIterator[bytes], headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(pieces, 200, headers, media_type=media_type)
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(PIECE_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except Exception as error:
            _log.warning("an_answer_breaks_off", error=type(error).__name__)
            break_off(self._request)


def _is_known(etag: str, told: str) -> bool:
    return etag.removeprefix("W/") in {one.strip().removeprefix("W/") for one in told.split(",")}


def _json(document: object) -> bytes:
    return orjson.dumps(document, default=_plain, option=orjson.OPT_UTC_Z)


def refuse_unknown(request: Request, known: Set[str]) -> None:
    """Raises Refused for parameters that nobody would look at: a filter with a typing error would show everything."""
    if unknown := request.query_params.keys() - known:
        said = ", ".join(sorted(known)) or "none"
        raise Refused(BAD_PARAMETER, f"{len(unknown)} parameters are not known here: expected {said}; correct them.")


def _etag(reply: Reply, body: bytes | AsyncIterator[bytes]) -> str:
    """By the last event of the one record that is shown; else by what is shown and nothing beside it.

    A word that moved with what was folded would tell whoever may not see it that something was.
    """
    if reply.position is not None:
        return f'"{reply.position}"'
    if reply.etag is not None:
        return f'W/"{reply.etag}"'
    assert isinstance(body, bytes)
    return f'"{sha256(body + (b"more" if reply.after is not None else b"")).hexdigest()[:20]}"'


def _plain(value: object) -> Any:
    """What the database has and JSON has not."""
    if isinstance(value, UUID):  # asyncpg's own kind of it
        return str(value)
    raise TypeError(type(value).__name__)
