"""A row of the ledger, made again from the event's wire form: everything that the ledger knows of it stands there."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import orjson

from events.envelope import BODY_LIMIT_BYTES, NotAnEvent, canonical, unsplice
from services.ledger.ledger import Recorded

_MAC = re.compile(r"^[0-9a-f]{64}$")


class NotARow(ValueError):
    """No ledger ever gave these bytes."""


def row_of(wire: bytes) -> Recorded:
    """The row whose wire form these bytes are. Raises NotARow, which quotes nothing of what the event says."""
    try:
        apart = unsplice(wire)
    except NotAnEvent as error:
        raise NotARow(str(error)) from None
    try:
        attributes = orjson.loads(apart.body)
        same = canonical(attributes) == apart.body
    except (orjson.JSONDecodeError, TypeError):
        raise NotARow("it is no JSON without floats") from None
    if not same or not isinstance(attributes, dict):
        raise NotARow("its JSON is not canonical: somebody else wrote it, or it was changed")
    if len(apart.body) > BODY_LIMIT_BYTES:
        raise NotARow(f"it is larger than {BODY_LIMIT_BYTES} bytes")
    mac = _text(attributes, "commandmac")
    if not _MAC.match(mac):
        raise NotARow("its commandmac is not 64 hexadecimal digits")
    version = attributes.get("streamversion")
    if type(version) is not int or version < 1:
        raise NotARow("its streamversion is no number from 1 on")
    return Recorded(
        apart.position,
        _text(attributes, "subject"),
        version,
        _id(attributes, "id"),
        _text(attributes, "type"),
        _text(attributes, "partitionkey"),
        apart.recorded_at,
        _id(attributes, "commandid"),
        bytes.fromhex(mac),
        apart.body,
        apart.version,
    )


def _text(attributes: dict[str, Any], name: str) -> str:
    found = attributes.get(name)
    if not isinstance(found, str) or not found:
        raise NotARow(f"its {name} is no text")
    return found


def _id(attributes: dict[str, Any], name: str) -> UUID:
    try:
        found = UUID(_text(attributes, name))
    except ValueError:
        raise NotARow(f"its {name} is no id") from None
    if str(found) != attributes[name]:
        raise NotARow(f"its {name} is not written as ids are")
    return found
