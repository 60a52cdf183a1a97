"""The published files as a stranger finds them in the folder, whatever the code says by now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import schemas
from events.catalogue import EVENTS
from events.envelope import Draft, Envelope
from events.event import Event
from events.vocabulary import Actor

FOLDER = Path(schemas.__file__).parent / "events"
EXAMPLE_FILES = sorted(path for path in FOLDER.glob("*/*.json") if not path.name.endswith(".schema.json"))
SCHEMA_FILES = sorted(FOLDER.glob("*/*.schema.json"))


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def is_newest(path: Path) -> bool:
    return path.name.startswith(f"{EVENTS[path.parent.name].schema_version}.")


def schema_for(example: Path) -> Mapping[str, Any]:
    """The schema beside an example, of the same type and version."""
    version = example.name.partition(".")[0]
    schema: Mapping[str, Any] = json.loads((example.parent / f"{version}.schema.json").read_bytes())
    return schema


def drafted_again(read: Envelope[Event]) -> Draft[Event]:
    """The draft that a recorded event came from."""
    return Draft(
        event_id=read.id,
        source=read.source,
        stream=read.subject,
        version=read.streamversion,
        home=read.partitionkey,
        data=read.data,
        command_id=read.commandid,
        command_mac=bytes.fromhex(read.commandmac),
        actor=Actor(role=read.actorrole, ref=read.actorref, on_behalf_of=read.onbehalfof),
        mode=read.mode,
        correlation_id=read.correlationid,
        causation_id=read.causationid,
        engine=read.engine,
    )
