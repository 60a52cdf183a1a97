"""Whether the API lives, and whether it can serve; and the catalogue of problems, page by page."""

from __future__ import annotations

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.acts.in_force import NotBegun
from services.api.office import Office
from services.api.problems import NO_SUCH_PAGE, Refused, Told, catalogue
from services.ledger.ledger import LedgerError


def add_routes(app: FastAPI) -> None:
    app.add_api_route("/healthz", healthz, methods=["GET"], operation_id="healthz")
    app.add_api_route("/readyz", readyz, methods=["GET"], operation_id="readyz")
    app.add_api_route("/metrics", metrics, methods=["GET"], operation_id="metrics")
    app.add_api_route("/problems/{number}", problem, methods=["GET"], operation_id="problem")


async def healthz() -> Response:
    """The process answers."""
    return Response(b'{"alive":true}', media_type="application/json")


async def metrics(request: Request) -> Response:
    """What Prometheus asks for."""
    office: Office = request.app.state.office
    return office.metrics.response()


async def readyz(request: Request) -> Response:
    """Whether commands and reads would be served now, and what is not ready where not."""
    office: Office = request.app.state.office
    not_ready: dict[str, str] = {}
    try:
        await office.ledger.head()
    except LedgerError as error:
        not_ready["ledger"] = str(error)
    try:
        office.in_force.network(office.desk, office.opener)
    except NotBegun as error:
        not_ready["network"] = str(error)
    try:
        await office.projections.refuse_unmade()
    except Refused as error:
        not_ready["projections"] = error.detail
    document = {"ready": not not_ready, "not_ready": not_ready}
    return Response(orjson.dumps(document), 503 if not_ready else 200, media_type="application/json")


async def problem(request: Request) -> Response:
    """One entry of the catalogue."""
    for kind in catalogue():
        if str(kind.number) == request.path_params["number"]:
            document = {"number": kind.number, "status": kind.status, "title": kind.title, "mend": kind.mend}
            return Response(orjson.dumps(document), media_type="application/json")
    return Told.of(Refused(NO_SUCH_PAGE, "There is no problem of this number.")).response()
