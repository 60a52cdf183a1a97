"""The application: every route, every error as a problem, one log line a request."""

from __future__ import annotations

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

from services.api import commanding, custody, health, openapi, reading, stream
from services.api.commands import ACTS
from services.api.custody import POSTS
from services.api.office import Office
from services.api.problems import NO_SUCH_METHOD, NO_SUCH_PAGE, OUR_FAULT, Refused, Told
from services.api.reads.every import READS

_log = structlog.get_logger("services.api")

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(open_office: Callable[[], AbstractAsyncContextManager[Office]]) -> FastAPI:
    """The API on an office that is opened when it starts and closed when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_office() as office:
            app.state.office = office
            yield

    app = FastAPI(title="Intabaza", version="1", lifespan=lifespan, redirect_slashes=False, openapi_url=None)
    for act in ACTS:
        app.add_api_route(
            act.address,
            _endpoint(commanding.take, act),
            methods=["POST"],
            operation_id=act.operation,
            name=act.operation,
        )
    for read in READS:
        app.add_api_route(
            read.address, _endpoint(reading.answer, read), methods=["GET"], operation_id=read.handler.__name__
        )
    for post in POSTS:
        app.add_api_route(post.address, _endpoint(custody.take, post), methods=["POST"], operation_id=post.name)
    app.add_api_route("/v1/alerts/stream", _endpoint(stream.stream, None), methods=["GET"], operation_id="alert_stream")
    health.add_routes(app)
    openapi.add_route(app)
    app.add_exception_handler(HTTPException, _not_here)
    return app


def _endpoint(serve: Callable[[Office, Any, Request], Awaitable[Response]], route: Any) -> Endpoint:
    """One request: served, or told why not; and a log line that says neither who nor what."""

    async def endpoint(request: Request) -> Response:
        began = time.perf_counter()
        try:
            response = await serve(request.app.state.office, route, request)
        except Exception as error:
            told = Told.of(error)
            if told.kind is OUR_FAULT:
                _log.error("fault", route=request.scope["route"].path, exc_info=error)
            response = told.response()
        seconds, path = time.perf_counter() - began, request.scope["route"].path
        request.app.state.office.metrics.answered(request.method, path, response.status_code, seconds)
        _log.info(
            "request",
            method=request.method,
            route=path,
            status=response.status_code,
            role=getattr(request.state, "role", None),
            milliseconds=round(seconds * 1e3, 1),
        )
        return response

    return endpoint


async def _not_here(request: Request, error: Exception) -> Response:
    if getattr(error, "status_code", 404) == 405:
        routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
        allowed = {"Allow": ", ".join(sorted({method for route in routes for method in route.methods}))}
        said = "This address does not take that method: see /openapi.json."
        return Told.of(Refused(NO_SUCH_METHOD, said, headers=allowed)).response()
    return Told.of(Refused(NO_SUCH_PAGE, "Nothing is at this address: see /openapi.json.")).response()
