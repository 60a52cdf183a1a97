"""What the timeline keeps of an event: all of it, and which streams it ties together. There is no state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from projections.projection import Page, Untimed
from projections.taken import Taken

Link = tuple[str, str, bool]
"""What kind of tie, to which stream, and whether it holds from here on."""


def _report_linked(data: dict[str, Any]) -> Link:
    return "report", f"report/{data['report_id']}", True


def _report_unlinked(data: dict[str, Any]) -> Link:
    return "report", f"report/{data['report_id']}", False


def _absorbed(data: dict[str, Any]) -> Link | None:
    return ("absorbed", f"case/{data['absorbed']}", True) if "absorbed" in data else None


def _absorbed_no_more(data: dict[str, Any]) -> Link | None:
    return ("absorbed", f"case/{data['absorbed']}", False) if "absorbed" in data else None


def _received_before(data: dict[str, Any]) -> Link | None:
    return ("earlier", f"report/{data['carried']['supersedes']}", True) if "carried" in data else None


LINKS: Mapping[str, Callable[[dict[str, Any]], Link | None]] = {
    "case.report_linked": _report_linked,
    "case.report_unlinked": _report_unlinked,
    "case.merged": _absorbed,
    "case.merge_reversed": _absorbed_no_more,
    "report.received": _received_before,
}
"""Event type → the tie it makes or undoes, seen from its own stream. Of a merging the absorbing case's stream tells;
of a report received again, the later report's: it is there when the later report's events are."""


class Timeline(Untimed):
    """One row an event and one a tie; nothing is ever changed."""

    stateless = True

    def key(self, event: Taken) -> str | None:
        stream = event.stream
        return stream if stream.startswith(("case/", "report/")) else None

    def apply(self, shared: None, state: None, event: Taken, page: Page) -> None:
        position, stream, type_, data = event.position, event.stream, event.type, event.data
        # Copied in binary, which casts nothing: hence the datetime, the one place where a fold makes one.
        at, text = datetime.fromisoformat(event.time), orjson.dumps(data).decode()
        page.add("event", (position, stream, event.version, type_, at, event.role, event.actor, text))
        if (link_of := LINKS.get(type_)) is not None and (link := link_of(data)) is not None:
            kind, other, holds = link
            page.add("link", (position, stream, kind, other, holds))

    def initial(self, key: str) -> None:
        return None

    def draw(self, state: None, page: Page) -> None:
        return None
