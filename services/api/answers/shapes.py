"""What answers are put together from, as JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
ID: Json = {"type": "string", "format": "uuid"}
MOMENT: Json = {"type": "string", "format": "date-time"}
DAY: Json = {"type": "string", "format": "date"}
NUMBER: Json = {"type": "integer"}
TRUE: Json = {"type": "boolean"}
ANYTHING: Json = {"type": "object"}


def maybe(schema: Json) -> Json:
    """It, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def fields(always: Mapping[str, Json], sometimes: Mapping[str, Json] | None = None) -> Json:
    """An object with fields that are always there, and such as may be left out."""
    properties = {**always, **(sometimes or {})}
    return {"type": "object", "properties": properties, "required": sorted(always)}


NAMED = {"unit": TEXT, "unit_name": maybe(TEXT)}
CODED = NAMED | {"codes": many(fields({"scheme": TEXT, "code": TEXT}))}

SPOKEN_OF = {"as_of_position": NUMBER, "as_of_recorded_at": MOMENT}
"""Up to where an answer about a moment speaks."""

DATED = maybe(fields({}, {"from": maybe(DAY), "to": maybe(DAY), "precision": TEXT}))
LINKS = many(fields({"href": TEXT, "rel": TEXT, "type": TEXT}))
