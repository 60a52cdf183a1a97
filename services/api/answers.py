"""What reads answer, as JSON Schemas, by the name of the read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = {"type": "string"}
JSON_ANSWER: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}

ANSWERS: Mapping[str, Any] = {
    "custody.open": {
        "type": "object",
        "description": "The texts, by their fields.",
        "properties": {
            "version": {"type": "integer", "minimum": 1},
            "texts": {"type": "object", "additionalProperties": TEXT},
        },
        "required": ["version", "texts"],
    },
    "custody.approve": {
        "type": "object",
        "description": "An approval, for whoever opens to send along; good for a quarter of an hour.",
        "properties": {"approval": TEXT},
        "required": ["approval"],
    },
}


def _plain(operation: str, summary: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    return {"operationId": operation, "tags": ["running"], "summary": summary, "responses": dict(answers)}


_READY = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {
                "ready": {"type": "boolean"},
                "not_ready": {"type": "object", "additionalProperties": TEXT},
            },
            "required": ["ready", "not_ready"],
        }
    }
}

HEALTH: Mapping[str, dict[str, Any]] = {
    "/healthz": _plain(
        "healthz", "The process answers.", {"200": {"description": "It lives.", "content": JSON_ANSWER}}
    ),
    "/readyz": _plain(
        "readyz",
        "Whether commands and reads would be served now, and what is not ready where not.",
        {
            "200": {"description": "They would.", "content": _READY},
            "503": {"description": "They would not.", "content": _READY},
        },
    ),
    "/metrics": _plain(
        "metrics",
        "What Prometheus asks for.",
        {"200": {"description": "The counters of this process.", "content": {"text/plain": {"schema": TEXT}}}},
    ),
    "/openapi.json": _plain(
        "openapi", "This description.", {"200": {"description": "OpenAPI 3.1.", "content": JSON_ANSWER}}
    ),
    "/problems/{number}": _plain(
        "problem",
        "One entry of the catalogue of problems.",
        {"200": {"description": "What it is, and what to do.", "content": JSON_ANSWER}},
    ),
}
