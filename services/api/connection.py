"""The connection below a request, which ASGI does not know: only whoever takes nothing has to be broken off."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Scope, Send

KEY = "intabaza.transport"


def note_connection(scope: Scope, send: Send) -> None:
    """Keep the transport with the request; uvicorn's `send` is a method of what holds it."""
    scope[KEY] = getattr(getattr(send, "__self__", None), "transport", None)


def break_off(request: Request) -> None:
    """End the connection now, with whatever waits to be sent on it: closing would wait for the other side."""
    transport = request.scope.get(KEY)
    if transport is not None:
        transport.abort()
