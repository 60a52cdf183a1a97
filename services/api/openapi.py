"""The description of the API (OpenAPI 3.1), made from the same rows that serve it; published as schemas/openapi.json.

Each command's body is its JSON Schema with what may come beside it; each answer has its schema; each problem that an
operation can give stands under its status with an example.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

import schemas
from events.envelope import named_id
from services.api import problems, refusing, waiting
from services.api.access import ACCESS, Reach
from services.api.answers import ANSWERS
from services.api.answers.made_up import example
from services.api.commanding import LONGEST_CLIENT_ID, Route
from services.api.commands import ROUTES
from services.api.custody import POSTS, Post
from services.api.described_problems import (
    FIELD_PROBLEM,
    PLACE_CANDIDATE,
    PROBLEM,
    REFUSED,
    problem_example,
    refusals,
    refused_as,
)
from services.api.erasing import ERASURES, ErasePerson, ErasureAct
from services.api.evidence import EVIDENCE, ZIP, EvidenceAct, TakeEvidence
from services.api.examples import (
    ALERT_ID,
    CASE_ID,
    ERASURE_EXAMPLES,
    EVIDENCE_EXAMPLES,
    EXAMPLES,
    GIHANGA,
    OPENING_EXAMPLES,
    POLICE,
    REFERRAL_ID,
    REPORT_ID,
    SILENCE_ID,
    SUBSCRIBER_EXAMPLES,
    SUBSCRIBER_ID,
)
from services.api.problems import catalogue
from services.api.reading import DEFAULT_ROWS, JSON, MOST_ROWS, Parameter, Read
from services.api.reads.every import READS
from services.api.running import HEALTH
from services.api.subscribing import ACTS, SubscriberAct
from services.json_schema import DIALECT, first_paragraph, without_titles

PATH = "openapi.json"
ADDRESS = "/openapi.json"

Json = dict[str, Any]

ABOUT = """\
Commands are posted, one address each; reads are got. A command needs an id of its sender's own making, in the header \
`Idempotency-Key` or in the body as `client_id`: sent again under it, also after a lost answer, it is done once and \
answered as the first time. `If-Match` with an ETag that was given before refuses what has moved on since. \
`?wait=published` waits until it is on Kafka, `?wait=projected` until reads show it; what is not so far in time is \
answered with 202 and the position to ask about. Every refusal is a problem (RFC 9457) with a number that stays for \
ever, and says which field, what was expected and what to do. Lists come in pages: follow the header `Link`."""


# --- schemas ----------------------------------------------------------------------------------------------------------


def _bodies() -> tuple[dict[str, Json], dict[str, Json]]:
    """Each operation's body, and what they share."""
    models: list[type[BaseModel]] = [*{model: None for route in ROUTES for model in (route.command, route.beside)}]
    models += [*{act.body: None for act in (*POSTS, *ERASURES, *EVIDENCE, *ACTS)}]
    found, shared = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Json] = without_titles(shared).get("$defs", {})

    def schema_of(model: type[BaseModel]) -> Json:
        schema: Json = found[(model, "validation")]
        return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else without_titles(schema)

    bodies = {
        route.operation: _joined(schema_of(route.command), schema_of(route.beside), route.command.stamped, route)
        for route in ROUTES
    }
    bodies |= {post.name: _plain(schema_of(post.body)) for post in POSTS}
    bodies |= {act.operation: _plain(schema_of(act.body)) for act in (*ERASURES, *EVIDENCE, *ACTS)}
    tops = {found[(model, "validation")].get("$ref", "").rpartition("/")[2] for model in models}
    return _plain(bodies), {name: _plain(one) for name, one in definitions.items() if name not in tops - _used(bodies)}


def _used(document: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))


def _joined(command: Json, beside: Json, stamped: Iterable[str], route: Route) -> Json:
    """One object of what the command takes and what comes beside it, without what our door fills in."""
    left_out = set(stamped)
    properties = {**command.get("properties", {}), **beside.get("properties", {})}
    required = {*command.get("required", ()), *beside.get("required", ())} - left_out
    return {
        "type": "object",
        "description": first_paragraph(route.command.__doc__ or ""),
        "properties": {name: one for name, one in properties.items() if name not in left_out},
        "required": sorted(required - route.instead),
        "additionalProperties": False,
    }


def _plain(schema: Any) -> Any:
    """Without what pydantic says of secrets: they are texts like others to who sends them."""
    match schema:
        case {"format": "password", **rest}:
            return _plain({name: one for name, one in rest.items() if name != "writeOnly"})
        case dict():
            return {name: _plain(one) for name, one in schema.items()}
        case list():
            return [_plain(one) for one in schema]
        case _:
            return schema


ACCEPTED: Json = {
    "type": "object",
    "description": "In the ledger, synced. `repeated` where it was accepted before; ids are those of what it made.",
    "properties": {
        "position": {"type": "integer", "minimum": 1, "description": "The position of its last event."},
        "repeated": {"type": "boolean"},
        "events": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "stream": {"type": "string"},
                    "version": {"type": "integer", "minimum": 1},
                    "position": {"type": "integer", "minimum": 1},
                    "recorded_at": {"type": "string", "format": "date-time"},
                },
                "required": ["id", "stream", "version", "position", "recorded_at"],
            },
        },
        "published": {"type": "boolean", "description": "With ?wait=published: whether it is on Kafka."},
        "projected": {"type": "boolean", "description": "With ?wait=projected: whether every read shows it."},
    },
    "required": ["position", "repeated", "events"],
}


HELD: Json = {
    "type": "object",
    "description": "Synced in the vault, and on no log yet: when the day is over it goes there with all others of that "
    "day, so that nothing tells at which moment it came; one of an earlier day with those of its week. "
    "`repeated` where it was accepted before.",
    "properties": {
        "repeated": {"type": "boolean"},
        "held_until": {
            "type": "string",
            "format": "date-time",
            "description": "The local midnight that ends the day, or the week.",
        },
        "published": {"type": "boolean", "description": "With ?wait=published: false, nobody waits for a midnight."},
        "projected": {"type": "boolean", "description": "With ?wait=projected: false."},
    },
    "required": ["repeated", "held_until"],
}


# --- operations -------------------------------------------------------------------------------------------------------


IN_ADDRESSES = {
    "report_id": REPORT_ID,
    "case_id": CASE_ID,
    "referral_id": REFERRAL_ID,
    "unit": GIHANGA,
    "recipient": POLICE,
    "subscriber_id": SUBSCRIBER_ID,
    "alert_id": ALERT_ID,
    "silence_id": SILENCE_ID,
    "position": "1234",
    "event": "1234",
    "number": "1001",
    "level": "0",
    "tile": "000.p/44",
    "bundle": "000.p/44",
}


def _path_parameters(address: str) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"},
            "example": IN_ADDRESSES[name],
        }
        for name in re.findall(r"{(\w+)}", address)
    ]


_HEADER: Json = {"in": "header", "required": False}
IDEMPOTENCY_KEY = _HEADER | {
    "name": "Idempotency-Key",
    "description": "What the sender calls this command: the same at each try. Or `client_id` in the body.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_CLIENT_ID},
    "example": "2d0c8d0e-6a0b-4c54-9d1c-0d6a5c9a1b00",
}
IF_MATCH = _HEADER | {
    "name": "If-Match",
    "description": "The ETag of the record as it was read: it is refused if that has moved on.",
    "schema": {"type": "string"},
    "example": '"1234"',
}
IF_NONE_MATCH = _HEADER | {
    "name": "If-None-Match",
    "description": "The ETag of the last answer: 304 where nothing has changed since.",
    "schema": {"type": "string"},
}
WAIT = {
    "name": "wait",
    "in": "query",
    "description": "Wait until it is on Kafka, or until reads show it.",
    "schema": {"type": "string", "enum": [str(until) for until in waiting.Until]},
}
WAIT_SECONDS = {
    "name": "wait_seconds",
    "in": "query",
    "description": f"How long at most; {waiting.DEFAULT_SECONDS:.0f} where left out.",
    "schema": {"type": "number", "minimum": 0, "maximum": waiting.MOST_SECONDS},
}
ETAG = {"description": "By the last event of the record.", "schema": {"type": "string"}}
LOCATION = {"description": "Where it is.", "schema": {"type": "string"}}


def _who_may(operation: str) -> str:
    grants = ACCESS[operation]
    words = {Reach.AREA: " in their area", Reach.OWN: " of their own"}
    return "Roles: " + ", ".join(f"{role.value}{words.get(reach, '')}" for role, reach in grants.items()) + "."


def _command(route: Route) -> Json:
    return {
        "operationId": route.operation,
        "tags": [route.noun],
        "summary": first_paragraph(route.command.__doc__ or ""),
        "description": _who_may(route.operation),
        "parameters": [*_path_parameters(route.address), IDEMPOTENCY_KEY, IF_MATCH, WAIT, WAIT_SECONDS],
        "requestBody": _body(route.operation, EXAMPLES[route.operation]),
        "responses": (_held() if route.held else _answers(route)) | refusals(refusing.of_command(route)),
    }


def _held() -> Json:
    content: Json = {
        "schema": {"$ref": "#/components/schemas/Held"},
        "example": {"repeated": False, "held_until": "2026-06-03T00:00:00+02:00"},
    }
    return {"202": {"description": "Held until the day is over.", "content": {"application/json": content}}}


def _answers(route: Route) -> Json:
    made = [f"{thing}_id" for thing in route.makes]
    schema: Json = {"$ref": "#/components/schemas/Accepted"}
    if made:
        schema |= {"properties": {name: {"type": "string", "format": "uuid"} for name in made}, "required": made}
    headers: Json = {}
    if route.noun in ("report", "case"):
        headers["ETag"] = ETAG
    if made:
        headers["Location"] = LOCATION

    def answer(description: str, example: Json) -> Json:
        content = {"application/json": {"schema": schema, "example": example}}
        return {"description": description, "headers": headers, "content": content}

    answers = {"200": answer("Accepted." if not made else "Accepted before.", _accepted(route, repeated=bool(made)))}
    if made:
        answers["201"] = answer("Accepted, and made.", _accepted(route))
    slow = _accepted(route) | {"published": False}
    answers["202"] = answer("Accepted, and not yet so far as was waited for: ask about its position.", slow)
    answers["202"] = answers["202"] | {"headers": headers | {"Location": LOCATION}}
    return answers


def _body(name: str, example: Mapping[str, Any]) -> Json:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": dict(example)}}}


def _accepted(route: Route, repeated: bool = False) -> Json:
    command_id = UUID("6b1d0e2f-3a4b-8c5d-9e6f-7a8b9c0d1e2f")
    ids = {f"{thing}_id": str(named_id(command_id, thing)) for thing in route.makes}
    nouns = {"report": REPORT_ID, "case": CASE_ID, "reporter": CASE_ID, "alert": GIHANGA, "reference": "register"}
    noun = nouns[route.noun]
    event = {
        "id": str(named_id(command_id, "event 0")),
        "stream": f"{route.noun}/{ids.get(f'{route.noun}_id', noun)}",
        "version": 1,
        "position": 1234,
        "recorded_at": "2026-06-02T10:00:00.123456+00:00",
    }
    return {"position": 1234, "repeated": repeated, "events": [event], **ids}


def _read(read: Read) -> Json:
    paged = (
        Parameter("limit", f"How many rows, {DEFAULT_ROWS} where left out.", {"type": "integer", "maximum": MOST_ROWS}),
        Parameter("cursor", "Where a page begins: as the header Link of the page before says."),
    )
    answer: Json = {
        "description": "As it stands.",
        "headers": {"ETag": ETAG} | ({"Link": {"schema": {"type": "string"}}} if read.paged and read.links else {}),
        "content": _shown(read.name, read.name, read.media_type, read.example and read.example()),
    }
    return {
        "operationId": read.name,
        "tags": ["read"],
        "summary": first_paragraph(read.handler.__doc__ or ""),
        "description": _who_may(read.operation),
        "parameters": [
            *_path_parameters(read.address),
            *map(_parameter, (*read.parameters, *(paged if read.paged else ()))),
            IF_NONE_MATCH,
        ],
        "responses": {"200": answer, "304": {"description": "As it was."}} | refusals(refusing.of_read(read)),
    }


def _shown(schema: str, answer: str, media_type: str = JSON, shown: Any = None) -> Json:
    """An answer's schema by its name, and an example of it."""
    return {
        media_type: {
            "schema": {"$ref": f"#/components/schemas/{schema}"},
            "example": example(ANSWERS[answer]) if shown is None else shown,
        }
    }


def _parameter(one: Parameter) -> Json:
    schema: Json = {"type": "array", "items": dict(one.schema)} if one.repeated else dict(one.schema)
    shape = {"style": "form", "explode": one.repeated} if one.repeated or one.listed else {}
    described = {"name": one.name, "in": "query", "description": one.description, "required": one.required}
    return described | {"schema": schema} | shape


def _post(post: Post) -> Json:
    content = _shown(f"{post.operation}-answer", post.operation)
    return {
        "operationId": post.name,
        "tags": ["custody"],
        "summary": first_paragraph(post.body.__doc__ or ""),
        "description": _who_may(post.operation),
        "parameters": _path_parameters(post.address),
        "requestBody": _body(post.name, OPENING_EXAMPLES[post.operation]),
        "responses": {"200": {"description": "Done.", "content": content}} | refusals(refusing.of_post(post)),
    }


def _evidence_act(act: EvidenceAct) -> Json:
    name = f"{act.operation}-answer"
    pack = {ZIP: {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": "…"}}
    content = pack if act.body is TakeEvidence else _shown(name, act.operation)
    return {
        "operationId": act.operation,
        "tags": ["custody"],
        "summary": first_paragraph(act.body.__doc__ or ""),
        "description": _who_may(act.operation),
        "parameters": _path_parameters(act.address),
        "requestBody": _body(act.operation, EVIDENCE_EXAMPLES[act.operation]),
        "responses": {"200": {"description": "Done.", "content": content}} | refusals(refusing.of_evidence_act(act)),
    }


def _erasure_act(act: ErasureAct) -> Json:
    content = _shown(f"{act.operation}-answer", act.operation)
    key: list[Json] = [IDEMPOTENCY_KEY] if act.body is ErasePerson else []
    return {
        "operationId": act.operation,
        "tags": ["custody"],
        "summary": first_paragraph(act.body.__doc__ or ""),
        "description": _who_may(act.operation),
        "parameters": key,
        "requestBody": _body(act.operation, ERASURE_EXAMPLES[act.operation]),
        "responses": {"200": {"description": "Done.", "content": content}} | refusals(refusing.of_erasure_act(act)),
    }


def _subscriber_act(act: SubscriberAct) -> Json:
    shown = act.operation if act.operation in ANSWERS else "subscriber.act"
    answer: Json = {"description": "Done.", "content": _shown(f"{shown}-answer", shown)}
    if act.makes:
        answer |= {"headers": {"Location": LOCATION}}
    return {
        "operationId": act.operation,
        "tags": ["subscriber"],
        "summary": first_paragraph(act.body.__doc__ or ""),
        "description": _who_may(act.operation),
        "parameters": _path_parameters(act.address),
        "requestBody": _body(act.operation, SUBSCRIBER_EXAMPLES[act.operation]),
        "responses": {"201" if act.makes else "200": answer} | refusals(refusing.of_subscriber_act(act)),
    }


ALERT_FRAME = """\
retry: 2000

id: 1234
event: alert.issued
data: {"specversion":"1.0","id":"…","source":"urn:intabaza:local","type":"alert.issued"}

: still here

"""
"""A stream as it begins; the data of each event is the whole CloudEvent, one line."""

STREAM: Json = {
    "operationId": "alert_stream",
    "tags": ["read"],
    "summary": "Alerts as they come, as server-sent events, in order of position.",
    "description": "Each has its position as `id`; come back with it as `Last-Event-ID`, and nothing is left out.",
    "parameters": [
        _HEADER | {"name": "Last-Event-ID", "schema": {"type": "string"}, "example": "1234"},
        {
            "name": "after",
            "in": "query",
            "description": "The same for who cannot set a header; 0 is from the beginning.",
            "schema": {"type": "integer", "minimum": 0},
        },
    ],
    "responses": {
        "200": {
            "description": "A stream without an end.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": ALERT_FRAME}},
        }
    }
    | refusals({*refusing.WHO_ASKS, *refusing.OURS, problems.BAD_PARAMETER, problems.LEDGER_AWAY}),
}


def document() -> Json:
    """The whole description."""
    bodies, shared = _bodies()
    paths: dict[str, dict[str, Json]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.address]["post"] = _command(route)
    for post in POSTS:
        paths[post.address]["post"] = _post(post)
    for erasure in ERASURES:
        paths[erasure.address]["post"] = _erasure_act(erasure)
    for one in EVIDENCE:
        paths[one.address]["post"] = _evidence_act(one)
    for act in ACTS:
        paths[act.address]["post"] = _subscriber_act(act)
    for read in READS:
        paths[read.address]["get"] = _read(read)
    paths["/v1/alerts/stream"]["get"] = STREAM
    for address, operation in HEALTH.items():
        paths[address]["get"] = operation | {"security": []}
    numbered = _path_parameters("/problems/{number}")
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
