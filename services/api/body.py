"""A request's body as JSON, read under limits, with a clear answer where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from events.refusals import BadInput, Problem
from services.api.problems import NO_JSON, OTHER_MEDIA_TYPE, TOO_LARGE_BODY, Refused

MOST_BYTES = 1_000_000
"""A gazetteer of a country is 400 kB; everything that people type is far below."""

DEEPEST = 32


async def read_body(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The body as a JSON object; raises Refused or BadInput, and never quotes what was sent."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Refused(OTHER_MEDIA_TYPE, "Send the body as JSON, under Content-Type: application/json.")
    raw = await _read(request, most_bytes)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(
            NO_JSON, f"The body is not JSON: line {error.lineno}, column {error.colno}; correct it and send it again."
        ) from None
    if not isinstance(body, dict):
        raise Refused(NO_JSON, "The body must be a JSON object, as {…}.")
    if problems := list(_unfit(body, "", 0, b"\\u0000" in raw)):
        raise BadInput(*problems[:20])
    return body


async def _read(request: Request, most_bytes: int) -> bytes:
    too_large = Refused(TOO_LARGE_BODY, f"The body may have at most {most_bytes} bytes: shorten it or split it.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most_bytes:
        raise too_large
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most_bytes:
                raise too_large
            parts.append(part)
    except ClientDisconnect:
        raise Refused(NO_JSON, "The body ended before it was whole: send it again, under the same id.") from None
    return b"".join(parts)


def _unfit(value: Any, path: str, depth: int, nul: bool) -> Iterator[Problem]:
    """What no field of ours can be: nesting without end, characters that no database holds."""
    if depth > DEEPEST:
        yield Problem(field=path[:80] or "body", expected=f"at most {DEEPEST} levels of nesting", mend="flatten it")
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _unfit(part, f"{path}.{name[:40]}" if path else name[:40], depth + 1, nul)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _unfit(part, f"{path}.{index}", depth + 1, nul)
    elif nul and isinstance(value, str) and "\x00" in value:
        yield Problem(field=path, expected="text without NUL characters", mend="remove them and send it again")
