"""The application: every route, every error as a problem, one log line a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from services import clock
from services.api import commanding, custody, erasing, evidence, health, openapi, reading, stream, subscribing
from services.api.access_log import AccessLog
from services.api.commands import ROUTES
from services.api.connection import note_connection
from services.api.custody import POSTS
from services.api.erasing import ERASURES
from services.api.evidence import EVIDENCE
from services.api.office import Office
from services.api.problems import NO_SUCH_METHOD, NO_SUCH_PAGE, NOT_KNOWN, OUR_FAULT, READS_AWAY, Refused, Told
from services.api.reads.every import READS
from services.api.routing import Routes
from services.api.subscribing import ACTS

_log = structlog.get_logger("services.api")

Endpoint = Callable[[Request], Awaitable[Response]]
Serve = Callable[[Office, Any, Request], Awaitable[Response]]


class Door(FastAPI):
    """Goes straight to a route of ours: FastAPI's way there costs more than a read. What is nowhere goes that way."""

    def __init__(self, open_office: Callable[[], AbstractAsyncContextManager[Office]]) -> None:
        self._straight: Routes[Endpoint] = Routes()
        self._access_log = AccessLog()

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            async with open_office() as office:
                app.state.office = office
                try:
                    yield
                finally:
                    self._access_log.write()

        super().__init__(title="Intabaza", version="1", lifespan=lifespan, redirect_slashes=False, openapi_url=None)

    def add(self, method: str, address: str, name: str, serve: Serve, route: Any) -> None:
        """Serve this there."""
        endpoint = self._endpoint(serve, route, method, address)
        self.add_api_route(address, endpoint, methods=[method], operation_id=name, name=name)
        self._straight.add(method, address, endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        try:
            if (found := self._straight.find(scope["method"], scope["path"])) is None:
                await self._roundabout(scope, receive, send)
                return
            endpoint, scope["path_params"] = found
            scope["app"] = self
            note_connection(scope, send)
            response = await endpoint(Request(scope, receive))
        except Exception as error:
            _log.error("fault", exc_info=error)
            response = Told.of(error).response()
        await response(scope, receive, send)

    async def _roundabout(self, scope: Scope, receive: Receive, send: Send) -> None:
        """FastAPI's way; where something fails on it, Starlette has answered with our problem and raises once more."""
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:
            _log.error("fault", exc_info=error)

    def _endpoint(self, serve: Serve, route: Any, method: str, address: str) -> Endpoint:
        """One request: served, or told why not; and a log line that says neither who nor what."""

        async def endpoint(request: Request) -> Response:
            office: Office = self.state.office
            at, began = clock.now(), time.perf_counter()
            try:
                async with asyncio.timeout(office.request_seconds) as limit:
                    response = await serve(office, route, request)
            except Exception as error:
                told = Told.of(_too_long(method, office.request_seconds) if limit.expired() else error)
                if told.kind is OUR_FAULT:
                    _log.error("fault", route=address, exc_info=error)
                response = told.response()
            seconds = time.perf_counter() - began
            role = getattr(request.state, "role", None)
            if not (response.status_code == 202 and getattr(route, "held", False)):
                # A day's only check-in would be counted in its minute, for whoever reaches /metrics and needs no token
                # there, and would stand in the log beside its reporter's message: nothing else keeps that minute.
                office.metrics.answered(method, address, response.status_code, seconds)
                self._access_log.note(at, method, address, response.status_code, role, seconds)
            return response

        return endpoint


def make_app(open_office: Callable[[], AbstractAsyncContextManager[Office]]) -> FastAPI:
    """The API on an office that is opened when it starts and closed when it ends."""
    app = Door(open_office)
    for route in ROUTES:
        app.add("POST", route.address, route.operation, commanding.take, route)
    for read in READS:
        app.add("GET", read.pattern, read.handler.__name__, reading.answer, read)
    for post in POSTS:
        app.add("POST", post.address, post.name, custody.take, post)
    for erasure in ERASURES:
        app.add("POST", erasure.address, erasure.operation, erasing.take, erasure)
    for one in EVIDENCE:
        app.add("POST", one.address, one.operation, evidence.serve, one)
    for act in ACTS:
        app.add("POST", act.address, act.operation, subscribing.take, act)
    app.add("GET", "/v1/alerts/stream", "alert_stream", stream.stream, None)
    health.add_routes(app)
    openapi.add_route(app)
    app.add_exception_handler(HTTPException, _not_here)
    app.add_exception_handler(Exception, _fault)
    return app


def _too_long(method: str, seconds: float) -> Refused:
    if method == "GET":
        return Refused(READS_AWAY, f"No answer was found in {seconds:g} seconds.", headers={"Retry-After": "1"})
    return Refused(NOT_KNOWN, f"It took more than {seconds:g} seconds: send the same again, under the same id.")


async def _fault(request: Request, error: Exception) -> Response:
    """What nobody foresaw outside of an endpoint of ours, told without a word of what it was."""
    return Told.of(error).response()


async def _not_here(request: Request, error: Exception) -> Response:
    if getattr(error, "status_code", 404) == 405:
        routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
        allowed = {"Allow": ", ".join(sorted({method for route in routes for method in route.methods}))}
        said = "This address does not take that method: see /openapi.json."
        return Told.of(Refused(NO_SUCH_METHOD, said, headers=allowed)).response()
    return Told.of(Refused(NO_SUCH_PAGE, "Nothing is at this address: see /openapi.json.")).response()
