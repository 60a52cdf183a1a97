"""What answers show alike, and the parameters that many reads take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from events.vocabulary import Kind, Severity
from services.api.problems import BAD_PARAMETER, NO_SUCH_RECIPIENT, Refused
from services.api.reading import Asked, Parameter

_RECIPIENT = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}\Z")

UNIT = Parameter("unit", "Only this unit and all that lies in it; may be repeated.", repeated=True)
AFTER = Parameter("after", "Only events after this position; left out, from the first.", {"type": "integer"})
KIND = Parameter(
    "kind", "Only this kind; may be repeated.", {"type": "string", "enum": [kind.value for kind in Kind]}, True
)
SEVERITY = Parameter(
    "severity", "Only as grave; may be repeated.", {"type": "string", "enum": [one.value for one in Severity]}, True
)
KINDS = [kind.value for kind in Kind]
SEVERITIES = [one.value for one in Severity]


def unit_in_the_address(asked: Asked) -> str:
    """A unit of the gazetteer in force, which may be seen; raises NoSuchUnit or OutsideArea."""
    unit: str = asked.request.path_params["unit"]
    asked.country.gazetteer.unit(unit)
    asked.refuse_outside(unit)
    return unit


def after_in_the_address(asked: Asked) -> int:
    """The position after which events are asked for; raises Refused."""
    text = asked.one("after") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Refused(BAD_PARAMETER, "after: expected the position of an event, a number; copy it.")
    return int(text)


def recipient_in_the_address(asked: Asked) -> str:
    """A recipient's id as it could stand in the register; raises Refused."""
    recipient: str = asked.request.path_params["recipient"]
    if not _RECIPIENT.match(recipient):
        raise no_such_recipient()
    return recipient


def no_such_recipient() -> Refused:
    return Refused(NO_SUCH_RECIPIENT, "There is no recipient of this id in the register: see /v1/recipients.")


def record_id(stream: str) -> str:
    """The id of a report or case, from the name of its stream."""
    return stream.partition("/")[2]


def times(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """These columns of a row under their own names."""
    return {name: row[name] for name in names}
