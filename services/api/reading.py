"""The one wrapper of a read: who asks, how far they see, which page; and the answer with its ETag and links."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from services.api.office import Asking, Office, who_asks
from services.api.problems import BAD_CURSOR, BAD_PARAMETER, Refused

MOST_ROWS = 200
DEFAULT_ROWS = 50


@dataclass(frozen=True, slots=True)
class Reply:
    """What a read answers. `position` is that of the last event shown, from which the ETag follows; `after` is the key
    of the last row of a page that is not the last one."""

    document: Any
    position: int | None = None
    after: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a read, allowed: what it may see, and its parameters."""

    office: Office
    asking: Asking
    request: Request

    def id(self, name: str) -> UUID:
        """An id from the address; raises Refused."""
        try:
            return UUID(self.request.path_params[name])
        except ValueError:
            raise Refused(BAD_PARAMETER, f"{name}: expected an id (a UUID); copy it from where it is listed.") from None

    def one(self, name: str, words: Sequence[str] | None = None) -> str | None:
        """A parameter that may be given once; raises Refused for a word that is not one of these."""
        return next(iter(self.many(name, words) or ()), None)

    def many(self, name: str, words: Sequence[str] | None = None) -> list[str] | None:
        """A parameter that may be given several times; None where it is not."""
        values = self.request.query_params.getlist(name)
        for value in values:
            if words is not None and value not in words:
                raise Refused(BAD_PARAMETER, f"{name}: expected one of {', '.join(words)}; choose one of these.")
            if "\x00" in value:
                raise Refused(BAD_PARAMETER, f"{name}: expected text without NUL characters; remove them.")
        return values or None

    @property
    def rows(self) -> int:
        """How many rows a page has."""
        text = self.request.query_params.get("limit", str(DEFAULT_ROWS))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_ROWS):
            raise Refused(BAD_PARAMETER, f"limit: expected 1 to {MOST_ROWS}; correct it or leave it out.")
        return int(text)

    def cursor(self, *kinds: type) -> list[Any]:
        """The key after which the page begins, one None for each of `kinds` on the first; raises Refused."""
        if (sent := self.request.query_params.get("cursor")) is None:
            return [None for _ in kinds]
        try:
            document: list[Any] = orjson.loads(base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4)))
            route, *key = document
            if route != self.request.scope["route"].path or len(key) != len(kinds):
                raise ValueError
            if not all(part is None or type(part) is kind for part, kind in zip(key, kinds, strict=True)):
                raise ValueError
        except (ValueError, TypeError):
            raise Refused(BAD_CURSOR, "cursor: expected one that this list gave; begin again without it.") from None
        return key

    async def units(self, name: str = "unit") -> list[str] | None:
        """The units whose rows are asked for and may be seen, with all that lies in them; None is all there are."""
        gazetteer = (await self.office.network()).gazetteer
        wanted = self.many(name)
        if wanted is not None:
            for unit in wanted:
                gazetteer.unit(unit)
        if wanted is None and self.asking.area.units is None:
            return None
        return [
            unit
            for unit in gazetteer.units
            if self.asking.area.covers(gazetteer, unit)
            and (wanted is None or any(gazetteer.lies_in(unit, one) for one in wanted))
        ]

    async def refuse_outside(self, unit: str) -> None:
        """Raises OutsideArea, or NotBegun."""
        self.asking.area.refuse_outside((await self.office.network()).gazetteer, unit)


Handler = Callable[[Asked], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a read, for its description."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """The route of one read."""

    address: str
    operation: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    paged: bool = False

    @property
    def name(self) -> str:
        """What this read is called in the description of the API."""
        return self.handler.__name__


async def answer(office: Office, read: Read, request: Request) -> Response:
    """Answer a read; raises whatever says no."""
    asking = who_asks(office, request, read.operation)
    reply = await read.handler(Asked(office, asking, request))
    headers = {"Cache-Control": "private, no-cache"}
    if reply.position is not None:
        headers["ETag"] = etag = f'"{reply.position}"'
        if etag in {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}:
            return Response(status_code=304, headers=headers)
    if reply.after is not None:
        headers["Link"] = f'<{_next_page(request, reply.after)}>; rel="next"'
    return Response(orjson.dumps(reply.document), 200, headers, media_type="application/json")


def _next_page(request: Request, after: Sequence[Any]) -> str:
    key = orjson.dumps([request.scope["route"].path, *after])
    cursor = base64.urlsafe_b64encode(key).decode().rstrip("=")
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*parameters, ('cursor', cursor)])}"
