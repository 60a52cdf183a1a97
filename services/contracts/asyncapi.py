"""The AsyncAPI document of our two topics: what is sent there, under which key and headers, and how it must be read.

It is a table of contents and repeats nothing: each message refers to its JSON Schema and to its examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from events.alert import AlertIssued
from events.catalogue import EVENTS
from events.event import Event
from events.vocabulary import EVERY_HOME
from services.json_schema import first_paragraph
from services.local.topics import ALERTS, TOPIC_SETTINGS
from services.local.topics import EVENTS as ALL_EVENTS
from services.log.record import CONTENT_TYPE

PATH = "asyncapi.json"
VERSION = "3.0.0"
"""Not 3.1.0, which older tools refuse and which brings nothing that this document uses."""

HEADER_NUMBER = "^(0|[1-9][0-9]{0,18})$"
BINDING_VERSION = "0.5.0"

ABOUT = (
    "What a deployment of Intabaza sends to Kafka. Values are CloudEvents 1.0 in structured JSON mode. The text beside "
    "this document (README.md) says what holds in every version; the JSON Schemas say what each message holds."
)

READING = """\
Records can be repeated, and a log can be damaged. So keep the last position that you took from each partition (0 \
before the first), and for each record, in order of offset:

1. If it has not exactly the headers `content-type`, `position` and `previous`, as this document describes them, it is \
not ours: pass over it.
2. If `position` is not above the last position taken from this partition, it is a repeat: drop it.
3. If `previous` is not the last position taken from this partition, something is missing or the log has forked: stop, \
and ask the deployment before you go on.
4. Else use it: its `position` is now the last one taken from this partition.

Who begins in the middle of a partition takes the first record as it is. Two records of different partitions are in \
order by `position`. Positions of one partition have gaps, since other partitions have those between; offsets prove \
nothing."""

PARTITIONING = """\
The key is the event's `partitionkey`, in UTF-8, and the partition is the one that Kafka's Java clients choose for it: \
(murmur2(key) & 0x7fffffff) modulo the number of partitions, which is fixed when a deployment makes its topics. So all \
that concerns one place is in one partition, in order. Nothing is compacted and nothing expires."""

EVERYWHERE = """\
A message under the key `*` concerns every place: it is in every partition under one `position`, each time with the \
`previous` of that partition. Use it once."""

STRANGERS = (
    "For everybody whom the deployment gives access: what is told of a unit's level, and nothing of who said so."
)
CONFIDENTIAL = (
    "CONFIDENTIAL, for processors and named auditors: every event, the alerts too. Even without a name in it, the "
    "record of a commune with one reporter points at one reporter."
)


def document(paths: Iterable[str]) -> dict[str, Any]:
    """The document over published files: paths under schemas/ of schemas and examples, of every version there is."""
    messages = dict(_messages(sorted(paths)))
    alerts = [name for name in messages if name.startswith(f"{AlertIssued.name}.")]
    return {
        "asyncapi": VERSION,
        "id": "urn:intabaza:asyncapi",
        "info": {
            "title": "Intabaza",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
            "tags": [
                {"name": "derived", "description": "Made by a projection, whose version `engine` names."},
                {"name": "everywhere", "description": "In every partition under one position: use it once."},
            ],
        },
        "defaultContentType": CONTENT_TYPE[1].decode(),
        "channels": {
            "alerts": _channel(ALERTS, "Alerts, for strangers", [STRANGERS, READING, PARTITIONING], alerts),
            "events": _channel(
                ALL_EVENTS, "All events, confidential", [CONFIDENTIAL, READING, PARTITIONING, EVERYWHERE], messages
            ),
        },
        "operations": {
            "sendAlerts": _operation("alerts", "A deployment tells strangers that a unit's level changed."),
            "sendEvents": _operation("events", "A deployment sends every event of its ledger, in order of position."),
        },
        "components": {
            "messages": messages,
            "messageTraits": {
                "record": _record({"type": "string", "pattern": "^[a-z0-9][a-z0-9:._-]{0,63}$"}),
                "recordEverywhere": _record({"type": "string", "const": EVERY_HOME}),
            },
            "schemas": {"headers": _headers()},
        },
    }


def _channel(address: str, title: str, words: Iterable[str], messages: Iterable[str]) -> dict[str, Any]:
    return {
        "address": address,
        "title": title,
        "description": "\n\n".join(words),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": address,
                "topicConfiguration": {
                    "cleanup.policy": [TOPIC_SETTINGS["cleanup.policy"]],
                    "retention.ms": int(TOPIC_SETTINGS["retention.ms"]),
                    "retention.bytes": int(TOPIC_SETTINGS["retention.bytes"]),
                    "max.message.bytes": int(TOPIC_SETTINGS["max.message.bytes"]),
                },
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _operation(channel: str, summary: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _record(key: Mapping[str, Any]) -> dict[str, Any]:
    """What the records of many messages have alike."""
    return {
        "contentType": CONTENT_TYPE[1].decode(),
        "headers": {"$ref": "#/components/schemas/headers"},
        "bindings": {
            "kafka": {"key": {**key, "description": "The event's `partitionkey`."}, "bindingVersion": BINDING_VERSION}
        },
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Exactly these three, in ASCII; a record with others is not ours.",
        "properties": {
            CONTENT_TYPE[0]: {"const": CONTENT_TYPE[1].decode()},
            "position": {
                "type": "string",
                "pattern": "^[1-9][0-9]{0,18}$",
                "description": "The event's position in the ledger, a decimal number: its `sequence` without zeros in "
                "front. Up to 19 digits, more than a double holds.",
            },
            "previous": {
                "type": "string",
                "pattern": HEADER_NUMBER,
                "description": "The position of the record before it in this partition of this topic, so always below "
                "`position`; 0: it is the first.",
            },
        },
        "required": [CONTENT_TYPE[0], "position", "previous"],
    }


def _messages(paths: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in paths:
        if found := re.fullmatch(r"events/([a-z_.]+)/([0-9]+)\.schema\.json", path):
            name, version = found[1], found[2]
            beside = [other for other in paths if other.startswith(f"events/{name}/{version}.") and other != path]
            yield f"{name}.{version}", _message(EVENTS[name], version, path, beside)


def _message(event: type[Event], version: str, schema: str, examples: Iterable[str]) -> dict[str, Any]:
    tags = [{"name": name} for name, holds in (("derived", event.derived), ("everywhere", event.broadcast)) if holds]
    return {
        "name": event.name,
        "title": f"{event.name} {version}",
        "summary": first_paragraph(event.__doc__ or ""),
        **({"tags": tags} if tags else {}),
        "traits": [{"$ref": f"#/components/messageTraits/{'recordEverywhere' if event.broadcast else 'record'}"}],
        # In AsyncAPI's own format, a superset of JSON Schema draft 7, since that is the one all tools read. Ours are of
        # 2020-12 and say nothing that means another thing in draft 7; a test keeps it so.
        "payload": {"$ref": f"./{schema}"},
        "examples": [{"name": path.split(".")[-2], "payload": {"$ref": f"./{path}"}} for path in examples],
    }


def text(paths: Iterable[str]) -> bytes:
    """The document as it is written."""
    return (json.dumps(document(paths), indent=2, ensure_ascii=False) + "\n").encode()
