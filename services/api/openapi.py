"""The description of the API (OpenAPI 3.1), made from the same rows that serve it; published as schemas/openapi.json.

Each command's body is its JSON Schema with what may come beside it; each answer has its schema; each problem that an
operation can give stands under its status with an example.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response

import schemas
from services.api import problems
from services.api.answers import ANSWERS
from services.api.commands import ROUTES
from services.api.custody import POSTS
from services.api.described_bodies import ACCEPTED, HELD, Json, described_bodies
from services.api.described_operations import (
    STREAM,
    described_command,
    described_erasure,
    described_evidence,
    described_parameters,
    described_post,
    described_read,
    described_subscriber_act,
)
from services.api.described_problems import (
    FIELD_PROBLEM,
    PLACE_CANDIDATE,
    PROBLEM,
    REFUSED,
    problem_example,
    refusals,
    refused_as,
)
from services.api.erasing import ERASURES
from services.api.evidence import EVIDENCE
from services.api.problems import catalogue
from services.api.reads.every import READS
from services.api.running import HEALTH
from services.api.subscribing import ACTS
from services.json_schema import DIALECT

PATH = "openapi.json"
ADDRESS = "/openapi.json"

ABOUT = """\
Commands are posted, one address each; reads are got. A command needs an id of its sender's own making, in the header \
`Idempotency-Key` or in the body as `client_id`: sent again under it, also after a lost answer, it is done once and \
answered as the first time. `If-Match` with an ETag that was given before refuses what has moved on since. \
`?wait=published` waits until it is on Kafka, `?wait=projected` until reads show it; what is not so far in time is \
answered with 202 and the position to ask about. Every refusal is a problem (RFC 9457) with a number that stays for \
ever, and says which field, what was expected and what to do. Lists come in pages: follow the header `Link`."""


def document() -> Json:
    """The whole description."""
    bodies, shared = described_bodies()
    paths: dict[str, dict[str, Json]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.address]["post"] = described_command(route)
    for post in POSTS:
        paths[post.address]["post"] = described_post(post)
    for erasure in ERASURES:
        paths[erasure.address]["post"] = described_erasure(erasure)
    for one in EVIDENCE:
        paths[one.address]["post"] = described_evidence(one)
    for act in ACTS:
        paths[act.address]["post"] = described_subscriber_act(act)
    for read in READS:
        paths[read.address]["get"] = described_read(read)
    paths["/v1/alerts/stream"]["get"] = STREAM
    for address, operation in HEALTH.items():
        paths[address]["get"] = operation | {"security": []}
    numbered = described_parameters("/problems/{number}")
    paths["/problems/{number}"]["get"] |= {"parameters": numbered}
    paths["/problems/{number}"]["get"]["responses"] |= refusals([problems.NO_SUCH_PAGE])
    kinds = {str(kind.number): kind for kind in catalogue()}
    refused = {
        name: refused_as([kinds[number] for number in name.split("-")])
        for name in sorted(set(re.findall(rf'"{REFUSED}([0-9-]+)"', json.dumps(paths))))
    }
    answers = {read.name: dict(ANSWERS[read.name]) for read in READS}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {"title": "Intabaza", "version": "1", "description": ABOUT},
        "security": [{"bearer": []}],
        "paths": {address: paths[address] for address in sorted(paths)},
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Signed with Ed25519; says who, in which role and for which units. On the local "
                    "stack: `intabaza token`.",
                }
            },
            "schemas": {
                **bodies,
                **shared,
                **answers,
                **{f"{name}-answer": ANSWERS[name] for name in ANSWERS if name.startswith("subscriber.")},
                "custody.open-answer": ANSWERS["custody.open"],
                "custody.approve-answer": ANSWERS["custody.approve"],
                **{f"{act.operation}-answer": ANSWERS[act.operation] for act in (*ERASURES, *EVIDENCE)},
                "Accepted": ACCEPTED,
                "Held": HELD,
                "Problem": PROBLEM,
                "FieldProblem": FIELD_PROBLEM,
                "PlaceCandidate": PLACE_CANDIDATE,
            },
            "responses": refused,
            "examples": {
                str(kind.number): {"summary": kind.title, "value": problem_example(kind)} for kind in catalogue()
            },
        },
    }


def text() -> bytes:
    """The published file."""
    return (json.dumps(document(), indent=1, ensure_ascii=False) + "\n").encode()


def add_route(app: FastAPI) -> None:
    """Serve what was published."""
    published = (Path(schemas.__file__).parent / PATH).read_bytes()

    async def openapi() -> Response:
        return Response(published, media_type="application/json")

    app.add_api_route(ADDRESS, openapi, methods=["GET"], operation_id="openapi")
