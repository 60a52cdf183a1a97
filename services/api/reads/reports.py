"""One report as the network knows it: where it stands, what was graded, and nothing that is sealed."""

from __future__ import annotations

from typing import Any

from events.report.events import ReportReceived
from services.api.reading import Asked, Read, Reply
from services.api.reads.records import report_of

_SHOWN = (
    "channel",
    "language",
    "kind",
    "basis",
    "recorded_by",
    "people_agree_to_share",
    "occurred",
    "expected",
    "harm",
    "urgency",
    "flags",
    "received_at",
)


async def report(asked: Asked) -> Reply:
    """One report: standing, place, dates, grades and flags; of what is sealed, that it is there."""
    found, reading = await report_of(asked, asked.id("report_id"))
    content, stream = found.content, f"report/{found.report_id}"
    assert content is not None
    told = {
        "report_id": found.report_id,
        "version": found.version,
        "mode": reading.modes[stream],
        "standing": found.standing,
        "received_again_as": found.received_again_as,
        "received_before_as": sorted(found.received_before_as),
        **asked.country.named(content.place.unit),
        "precision": content.place.precision,
        "home": reading.home(stream),
        **_content(content),
        "round": found.round,
        "reliability": found.reliability,
        "credibility": found.credibility,
        "grades": [one.model_dump(mode="json") for one in found.grades],
        "recused": sorted(found.recused),
        "sealed_fields": [{"field": name, "version": version} for name, (version, _) in sorted(found.words.items())],
    }
    return Reply(told, position=reading.positions[stream])


def _content(content: ReportReceived) -> dict[str, Any]:
    written = content.wire_data()
    return {name: written.get(name, [] if name in ("harm", "flags") else None) for name in _SHOWN}


READS = (Read("/v1/reports/{report_id}", "read.reports", report),)
