"""The operations that serve whoever runs the API, as its description tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.answers.shapes import ANYTHING, NUMBER, TEXT, TRUE, Json, fields
from services.api.problems import NO_JSON


def _plain(operation: str, summary: str, answers: Mapping[str, Any]) -> Json:
    return {"operationId": operation, "tags": ["running"], "summary": summary, "responses": dict(answers)}


_READY = fields({"ready": TRUE, "not_ready": ANYTHING | {"additionalProperties": TEXT}})


def _json(schema: Json, example: Any) -> Json:
    return {"application/json": {"schema": schema, "example": example}}


_COUNTERS = """\
# HELP intabaza_api_listeners Clients that follow the alerts
# TYPE intabaza_api_listeners gauge
intabaza_api_listeners 3.0
"""

PROBLEM_KIND = fields({"number": NUMBER, "status": NUMBER, "title": TEXT, "mend": TEXT})

HEALTH: Mapping[str, Json] = {
    "/healthz": _plain(
        "healthz",
        "The process answers.",
        {"200": {"description": "It lives.", "content": _json(ANYTHING, {"alive": True})}},
    ),
    "/readyz": _plain(
        "readyz",
        "Whether commands and reads would be served now, and what is not ready where not.",
        {
            "200": {"description": "They would.", "content": _json(_READY, {"ready": True, "not_ready": {}})},
            "503": {
                "description": "They would not.",
                "content": _json(
                    _READY, {"ready": False, "not_ready": {"appends": "The relay knows more than the ledger."}}
                ),
            },
        },
    ),
    "/metrics": _plain(
        "metrics",
        "What Prometheus asks for.",
        {
            "200": {
                "description": "The counters of this process.",
                "content": {"text/plain": {"schema": TEXT, "example": _COUNTERS}},
            }
        },
    ),
    "/openapi.json": _plain(
        "openapi",
        "This description.",
        {"200": {"description": "OpenAPI 3.1.", "content": _json(ANYTHING, {"openapi": "3.1.0"})}},
    ),
    "/problems/{number}": _plain(
        "problem",
        "One entry of the catalogue of problems.",
        {
            "200": {
                "description": "What it is, and what to do.",
                "content": _json(
                    PROBLEM_KIND,
                    {"number": NO_JSON.number, "status": NO_JSON.status, "title": NO_JSON.title, "mend": NO_JSON.to_do},
                ),
            }
        },
    ),
}
