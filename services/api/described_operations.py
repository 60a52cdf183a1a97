"""Each operation as the description of the API has it: who may, what is asked, what is answered and what is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from events.envelope import named_id
from services.api import problems, refusing, waiting
from services.api.access import ACCESS, Reach
from services.api.answers import ANSWERS
from services.api.answers.made_up import example
from services.api.commanding import LONGEST_CLIENT_ID, Route
from services.api.custody import Post
from services.api.described_bodies import Json
from services.api.described_problems import (
    refusals,
)
from services.api.erasing import ErasePerson, ErasureAct
from services.api.evidence import ZIP, EvidenceAct, TakeEvidence
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
from services.api.problems import Kind
from services.api.reading import DEFAULT_ROWS, JSON, MOST_ROWS, Parameter, Read
from services.api.subscribing import SubscriberAct
from services.json_schema import first_paragraph

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


def described_parameters(address: str) -> list[Json]:
    """What stands in an address."""
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


def described_command(route: Route) -> Json:
    """A command: accepted, made or held."""
    return {
        "operationId": route.operation,
        "tags": [route.noun],
        "summary": first_paragraph(route.command.__doc__ or ""),
        "description": _who_may(route.operation),
        "parameters": [*described_parameters(route.address), IDEMPOTENCY_KEY, IF_MATCH, WAIT, WAIT_SECONDS],
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


def described_read(read: Read) -> Json:
    """A read, and its pages where it has some."""
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
            *described_parameters(read.address),
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


def described_post(post: Post) -> Json:
    """An opening of sealed texts, or an approval of one."""
    content = _shown(f"{post.operation}-answer", post.operation)
    asked = described_parameters(post.address), _body(post.name, OPENING_EXAMPLES[post.operation])
    return _custody(post, post.name, *asked, content, refusing.of_post(post))


def described_evidence(act: EvidenceAct) -> Json:
    """A pack of evidence, or an approval of one."""
    name = f"{act.operation}-answer"
    pack = {ZIP: {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": "…"}}
    content = pack if act.body is TakeEvidence else _shown(name, act.operation)
    asked = described_parameters(act.address), _body(act.operation, EVIDENCE_EXAMPLES[act.operation])
    return _custody(act, act.operation, *asked, content, refusing.of_evidence_act(act))


def described_erasure(act: ErasureAct) -> Json:
    """An erasure, or an approval of one."""
    content = _shown(f"{act.operation}-answer", act.operation)
    key: list[Json] = [IDEMPOTENCY_KEY] if act.body is ErasePerson else []
    asked = key, _body(act.operation, ERASURE_EXAMPLES[act.operation])
    return _custody(act, act.operation, *asked, content, refusing.of_erasure_act(act))


def _custody(
    act: Post | EvidenceAct | ErasureAct,
    name: str,
    parameters: list[Json],
    body: Json,
    content: Json,
    refused: Collection[Kind],
) -> Json:
    return {
        "operationId": name,
        "tags": ["custody"],
        "summary": first_paragraph(act.body.__doc__ or ""),
        "description": _who_may(act.operation),
        "parameters": parameters,
        "requestBody": body,
        "responses": {"200": {"description": "Done.", "content": content}} | refusals(refused),
    }


def described_subscriber_act(act: SubscriberAct) -> Json:
    """What is done about a subscriber."""
    shown = act.operation if act.operation in ANSWERS else "subscriber.act"
    answer: Json = {"description": "Done.", "content": _shown(f"{shown}-answer", shown)}
    if act.makes:
        answer |= {"headers": {"Location": LOCATION}}
    return {
        "operationId": act.operation,
        "tags": ["subscriber"],
        "summary": first_paragraph(act.body.__doc__ or ""),
        "description": _who_may(act.operation),
        "parameters": described_parameters(act.address),
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
