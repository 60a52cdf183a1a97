"""An event type's JSON Schema: the whole envelope with its data, as it stands on the wire.

Strangers write these into validators and generators, so nothing of Python shows, nothing is closed that may grow, and
a field that is sealed on the wire is described as sealed and as nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from events.catalogue import CATALOGUE
from events.envelope import SCHEMA_PREFIX, Envelope
from events.event import Event
from events.sealed import Clear
from events.vocabulary import EVERY_HOME
from services.json_schema import DIALECT, first_paragraph, without_titles

WIRE_TIME = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}
"""What `wire_time` writes: UTC, six digits of a second, `Z`."""

_ATTRIBUTES = {
    "specversion": "CloudEvents 1.0.",
    "id": "The event's id; a repeat of the same event bears the same one.",
    "source": "The deployment that recorded it.",
    "subject": "The stream: what this is an event of.",
    "time": "When it was recorded. With `sequence`, the only time that orders.",
    "sequence": "The position in the ledger, 19 digits, so that text and numbers sort alike.",
    "streamversion": "The event's number in its stream, from 1 without a gap.",
    "partitionkey": "The home: a group of communes that no division of the country separates; the key of the record.",
    "correlationid": "What this belongs to, where several commands did one thing.",
    "causationid": "The event that led to this one, in another stream.",
    "commandid": "Which command made it. Says nothing about the id a client used.",
    "commandmac": "Binds the command's content; means nothing without a key that only the deployment has.",
    "actorrole": "The role in which somebody acted.",
    "actorref": "A pseudonym of who acted; another one in another case.",
    "onbehalfof": "A pseudonym of the one for whom they acted.",
    "engine": "Which version of a projection derived it.",
    "mode": "In what earnest: only `actual` happened; never act on `exercise` or `test`.",
}


class _OnTheWire(GenerateJsonSchema):
    """Describes what is written, where reading is more lenient than writing."""

    def union_schema(self, schema: core_schema.UnionSchema) -> JsonSchemaValue:
        choices = [choice for choice in schema["choices"] if not _is_clear(choice)]
        return super().union_schema({**schema, "choices": choices})

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # absent is not stated: nothing is ever written as null

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return dict(WIRE_TIME)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # a default is our reader's, no promise about the wire

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Whatever has a value by default is always written; only what may be unstated may be absent."""
        inner = field["schema"]
        written = inner["type"] == "default" and inner.get("default") is not None
        return written or super().field_is_required(field, total)


def _is_clear(choice: Any) -> bool:
    if isinstance(choice, tuple):
        choice = choice[0]
    return choice.get("cls") is Clear or str(choice.get("schema_ref", "")).startswith("events.sealed.Clear:")


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event type's newest version."""
    generated = Envelope[event].model_json_schema(schema_generator=_OnTheWire)  # type: ignore[valid-type]
    envelope = without_titles(generated)
    properties = envelope["properties"]
    for name, sentence in _ATTRIBUTES.items():
        properties[name]["description"] = " ".join(filter(None, (sentence, properties[name].get("description"))))
    fixed = {
        "specversion": "1.0",
        "type": event.name,
        "dataschema": schema_id(event.name, event.schema_version),
        "datacontenttype": "application/json",
    } | ({"partitionkey": EVERY_HOME} if event.broadcast else {})
    for name, value in fixed.items():
        properties[name] = {"const": value} | _kept(properties[name], "description")
    properties["subject"]["pattern"] = f"^{_category(event)}/."
    if event.derived:
        properties["engine"]["minimum"] = 1
    else:
        del properties["engine"]
    required = {*envelope["required"], *fixed} | ({"engine"} if event.derived else set())
    return {
        "$schema": DIALECT,
        "$id": schema_id(event.name, event.schema_version),
        "title": f"{event.name} {event.schema_version}",
        "description": first_paragraph(event.__doc__ or ""),
        **envelope,
        "required": sorted(required),
    }


def schema_id(name: str, version: int) -> str:
    return f"{SCHEMA_PREFIX}{name}:{version}"


def _category(event: type[Event]) -> str:
    return next(category for category, events in CATALOGUE.items() if event in events)


def _kept(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: schema[name]} if name in schema else {}
