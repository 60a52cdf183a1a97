"""What is sent and how it is accepted, as the description of the API has it: schemas of bodies and of their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.api.commanding import Route
from services.api.commands import ROUTES
from services.api.custody import POSTS
from services.api.erasing import ERASURES
from services.api.evidence import EVIDENCE
from services.api.subscribing import ACTS
from services.json_schema import first_paragraph, without_titles

Json = dict[str, Any]


def described_bodies() -> tuple[dict[str, Json], dict[str, Json]]:
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
