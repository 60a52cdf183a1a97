"""Every event there is, by the category of its stream, and the reading of bytes back into them.

Adding an event: its class beside its noun, one line in that module's union, its example in
services/contracts/examples; then `make schemas`. Where its noun has a state, a type checker asks what it changes there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import ValidationError

from events import alert, custody, level, reference, reporter
from events.case import events as case
from events.envelope import SCHEMA_PREFIX, Envelope, NotAnEvent
from events.event import Event
from events.report import events as report
from events.upcasts import UPCASTS, Upcast, lift

CATALOGUE: Mapping[str, tuple[type[Event], ...]] = {
    "report": get_args(report.ReportEvent),
    "case": get_args(case.CaseEvent),
    "reporter": get_args(reporter.ReporterEvent),
    "reference": get_args(reference.ReferenceEvent),
    "level": get_args(level.LevelEvent),
    "alert": get_args(alert.AlertEvent),
    "custody": (custody.RecordViewed, custody.ExportMade, custody.SubjectKeyDestroyed, custody.LogCheckpointed),
}
"""Stream category → its events. A stream is `<category>/<id>`. Each is listed once: in the union that the type checker
knows, too, where a `match` must be complete."""

EVENTS: Mapping[str, type[Event]] = {event.name: event for events in CATALOGUE.values() for event in events}


class UnknownEvent(NotAnEvent):
    """The type, or a version newer than this program knows, is in no catalogue here; the bytes may be sound."""


def read(
    wire: bytes, events: Mapping[str, type[Event]] = EVENTS, upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS
) -> Envelope[Event]:
    """Read wire bytes into the newest version of their event.

    Raises UnknownEvent for a type or version this program does not know, NotAnEvent for anything else that is wrong.
    Unknown attributes are kept; unknown words of an enum are kept and shown as `other`.
    """
    try:
        attributes = orjson.loads(wire)
    except orjson.JSONDecodeError as error:
        raise NotAnEvent(f"not JSON: {error}") from None
    if not isinstance(attributes, dict) or not isinstance(attributes.get("data"), dict):
        raise NotAnEvent("expected a JSON object with an object `data`")
    name, version = _typed(attributes)
    event = events.get(name)
    if event is None:
        raise UnknownEvent(
            f"type {name[:80]!r} is in no catalogue of this program: update it, or leave the event to others"
        )
    if version > event.schema_version:
        raise UnknownEvent(f"{name} has version {version}, this program knows {event.schema_version}: update it")
    try:
        attributes["data"] = lift(name, version, event.schema_version, attributes["data"], upcasts)
    except Exception as error:  # a step never fails on what was once written: these bytes never were, or it is missing
        why = f"{name} {version} cannot be lifted to version {event.schema_version}: {type(error).__name__}"
        raise NotAnEvent(why) from None
    try:
        return _envelope(event).model_validate(attributes)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotAnEvent(f"{name}: {where}: {first['msg']}") from None


def _typed(attributes: Mapping[str, Any]) -> tuple[str, int]:
    name, schema = attributes.get("type"), attributes.get("dataschema")
    if not isinstance(name, str) or not isinstance(schema, str):
        raise NotAnEvent("expected strings `type` and `dataschema`")
    prefix = f"{SCHEMA_PREFIX}{name}:"
    number = schema.removeprefix(prefix)
    if (
        not schema.startswith(prefix)
        or not number.isascii()
        or not number.isdigit()
        or len(number) > 9
        or int(number) < 1
    ):
        raise NotAnEvent(f"dataschema does not name a version of its type: expected {prefix[:120]}<number>")
    return name, int(number)


@cache
def _envelope(event: type[Event]) -> type[Envelope[Event]]:
    return Envelope[event]  # type: ignore[valid-type]
