"""Whether the API lives, and whether it can serve; and the catalogue of problems, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from projections.sql import named_queries
from services import clock
from services.acts.in_force import NotBegun
from services.api.office import Office
from services.api.problems import NO_SUCH_PAGE, Refused, Told, catalogue
from services.ledger.ledger import LedgerError
from services.vault.refused import VaultError

ANSWER_SECONDS = 5.0
FRESH_SECONDS = 0.5
"""How old an answer of /readyz may be."""

SQL = named_queries("services.api", "health.sql")

Part = Callable[[Office], Awaitable[str | None]]


def add_routes(app: FastAPI) -> None:
    app.state.readiness = Readiness()
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
    not_ready = await request.app.state.readiness.look(request.app.state.office)
    document = {"ready": not not_ready, "not_ready": not_ready}
    return Response(orjson.dumps(document), 503 if not_ready else 200, media_type="application/json")


class Readiness:
    """What is not ready, looked at once for everybody who asks within a moment: nobody needs a token to ask, so it must
    not cost the databases a question each time."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS, now: Callable[[], float] = monotonic) -> None:
        self._fresh_seconds = fresh_seconds
        self._now = now
        self._looked_at = 0.0
        self._looking: asyncio.Task[Mapping[str, str]] | None = None

    async def look(self, office: Office) -> Mapping[str, str]:
        """Why each part that is not ready is not, by its name."""
        looking = self._looking
        if looking is None or (looking.done() and self._now() - self._looked_at >= self._fresh_seconds):
            looking = self._looking = asyncio.create_task(self._look(office))
        return await asyncio.shield(looking)

    async def _look(self, office: Office) -> Mapping[str, str]:
        try:
            said = await asyncio.gather(*(_within(part, office) for part in PARTS.values()))
            return {name: why for name, why in zip(PARTS, said, strict=True) if why is not None}
        finally:
            self._looked_at = self._now()


async def _within(part: Part, office: Office) -> str | None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await part(office)
    except Refused as error:
        return error.detail
    except (NotBegun, LedgerError, VaultError) as error:
        return str(error)
    except TimeoutError:
        return f"No answer came in {ANSWER_SECONDS:.0f} seconds."


async def _ledger(office: Office) -> str | None:
    await office.ledger.head()
    return None


async def _appends(office: Office) -> str | None:
    (row,) = await office.projections.fetch(SQL["appends"], clock.now())
    why: str | None = row["because"]
    return why


async def _vault(office: Office) -> str | None:
    await office.desk.persons.committee()
    return None


async def _network(office: Office) -> str | None:
    office.network()
    return None


async def _projections(office: Office) -> str | None:
    await office.projections.refuse_unmade()
    return None


PARTS: dict[str, Part] = {
    "ledger": _ledger,
    "appends": _appends,
    "vault": _vault,
    "network": _network,
    "projections": _projections,
}
"""What must be ready, each with what says why it is not."""


async def problem(request: Request) -> Response:
    """One entry of the catalogue."""
    for kind in catalogue():
        if str(kind.number) == request.path_params["number"]:
            document = {"number": kind.number, "status": kind.status, "title": kind.title, "mend": kind.to_do}
            return Response(orjson.dumps(document), media_type="application/json")
    return Told.of(Refused(NO_SUCH_PAGE, "There is no problem of this number.")).response()
