"""Which events a projection cannot take, by what is published of them: an unknown type, version or content.

Such an event waits with its key until somebody waives it. A projection that neither waits with it nor was told to pass
over it passed over it in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults.checker.findings import Findings, NotModelled
from tests.faults.checker.ledger import Row
from tests.faults.checker.left import LIVE, Left

PUBLISHED = Path(__file__).parents[3] / "schemas" / "events"
STREAMS: Mapping[str, tuple[str, ...]] = {
    "case_timeline": ("case/", "report/"),
    "case_board": ("case/",),
    "review_queue": ("case/", "report/"),
    "referral_board": ("case/",),
    "alert_level": ("case/", "report/", "reporter/"),
    "coverage": ("report/", "reporter/"),
    "silences": ("alert/",),
}
"""Of which streams each takes every event, whatever its type; those of `NAMED` take the types that they name."""
OF_COVERAGE = {"report.received", "reporter.coverage_assigned", "reporter.checked_in", "reporter.stood_down"}
OF_A_LEVEL = {
    *("report.withdrawn", "report.superseded"),
    *(f"case.{what}" for what in ("opened", "ratified", "not_ratified", "classified", "report_linked")),
    *(f"case.{what}" for what in ("report_unlinked", "assessed", "merged", "merge_reversed", "resolved", "reopened")),
    "case.closed",
    *OF_COVERAGE,
}

OF_SILENCES = {"alert.silenced", "alert.silence_ended"}
NAMED: Mapping[str, set[str]] = {"alert_level": OF_A_LEVEL, "coverage": OF_COVERAGE, "silences": OF_SILENCES}


@cache
def _required(kind: str, version: str) -> frozenset[str] | None:
    """What the content of such an event must have; None where none is published."""
    file = PUBLISHED / kind / f"{version}.schema.json"
    if not file.is_file():
        return None
    schema: dict[str, Any] = json.loads(file.read_text())
    content = schema["$defs"][schema["properties"]["data"]["$ref"].rpartition("/")[2]]
    return frozenset(content.get("required", ()))


def cannot_take(projection: str, row: Row) -> bool:
    """Whether this projection has to wait with the event."""
    concerns = row.stream.startswith(STREAMS[projection])
    if not concerns or row.type not in NAMED.get(projection, {row.type}):
        return False
    required = _required(row.type, str(row.wire["dataschema"]).rpartition(":")[2])
    if required is None:
        return True
    # what was said is shown as it was said, whatever it is
    return projection != "case_timeline" and not required <= row.wire["data"].keys()


def folded_by(left: Left, projection: str) -> list[Row]:
    """What a projection folds: what was not waived for it and can be taken. Raises NotModelled."""
    return [row for row in left.counted_by(projection) if not cannot_take(projection, row)]


def judge(left: Left, found: Findings) -> None:
    """Whatever cannot be taken waits for a person, or a person let it go."""
    for projection in LIVE:
        try:
            counted = left.counted_by(projection)
        except NotModelled:
            continue  # whoever judges what it folds says so
        for row in counted:
            if cannot_take(projection, row):
                sentence = f"{projection} passed over {row.type} at {row.position}, which it cannot know, in silence."
                found.add("projection_differs", sentence, row.position)
