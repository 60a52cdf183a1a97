"""The page of a pack that a court or a committee reads: one file, no script, no font, no address."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, StrictUndefined

from events.catalogue import EVENTS
from events.custody import ViewPurpose
from services.audit.zipping import Zip
from services.evidence.gathering import Gathered
from services.evidence.writing import VIEWED
from services.notary.signed import Signed

PAGE = "index.html"


def write_page(
    zipped: Zip,
    case: Gathered,
    signed: Signed | None,
    types: Mapping[str, int],
    purpose: ViewPurpose,
    texts: int | None,
) -> None:
    """Write it, row by row, from what grew beside the zip: `events/`, `viewed.csv`, and `texts/` where there are any.

    `texts` is how many leave in clear; None: nobody asked for any.
    """
    text = files("services.evidence").joinpath("page.html.jinja").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    told = environment.from_string(text).stream(
        case=case,
        signed=signed,
        meanings={name: meaning(name) for name in sorted(types)},
        counts=types,
        events=_events(zipped),
        viewed=_viewed(zipped),
        shown=texts,
        texts=_lines(zipped, "texts/"),
        purpose=purpose.value,
    )
    told.enable_buffering(100)
    with io.TextIOWrapper(zipped.unnamed(PAGE), encoding="utf-8") as writing:
        writing.writelines(told)


def meaning(name: str) -> str:
    """What an event of this type says happened, in a sentence."""
    event = EVENTS.get(name)
    return (event.__doc__ or name).partition("\n")[0] if event else name


def _events(zipped: Zip) -> Iterator[Mapping[str, Any]]:
    for event in _lines(zipped, "events/"):
        yield {name: event[name] for name in ("time", "type", "subject", "actorrole")} | {
            "position": int(event["sequence"]),
            "meaning": meaning(event["type"]),
        }


def _lines(zipped: Zip, folder: str) -> Iterator[Mapping[str, Any]]:
    for part in zipped.unnamed_in(folder):
        for line in part:
            yield orjson.loads(line)


def _viewed(zipped: Zip) -> Iterator[Mapping[str, str]]:
    for part in zipped.unnamed_in(VIEWED):
        text = io.TextIOWrapper(part, encoding="utf-8", newline="")
        for row in csv.DictReader(text):
            yield row | {"fields": spelt_out(row["fields"])}
        text.detach()


def spelt_out(fields: str) -> str:
    """Names of fields as they are; of a pack that showed texts, which of each record, as a person reads it."""
    if not fields.startswith("["):
        return fields
    return "; ".join(
        f"{one['viewed']} {one['viewed_version']}: {' '.join(one['fields'])}" for one in orjson.loads(fields)
    )
