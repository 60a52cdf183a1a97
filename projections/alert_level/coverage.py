"""How well a unit is watched, and what that does to its level: calm and cut off must not look the same.

Until coverage is a projection of its own its input is `unknown`: nothing pauses, and confidence is low for that reason.
"""

from __future__ import annotations

from enum import StrEnum

from events.level import Confidence, ConfidenceReason


class Coverage(StrEnum):
    UNKNOWN = "unknown"
    FULL = "full"
    PARTIAL = "partial"
    LOST = "lost"


_CONFIDENCE = {
    Coverage.UNKNOWN: (Confidence.LOW, ConfidenceReason.COVERAGE_UNKNOWN),
    Coverage.FULL: (Confidence.HIGH, ConfidenceReason.COVERAGE_FULL),
    Coverage.PARTIAL: (Confidence.MEDIUM, ConfidenceReason.COVERAGE_PARTIAL),
    Coverage.LOST: (Confidence.BLIND, ConfidenceReason.COVERAGE_LOST),
}


def confidence(coverage: Coverage) -> tuple[Confidence, ConfidenceReason]:
    """How much a level may be relied on, and why."""
    return _CONFIDENCE[coverage]


def fading_day(coverage: Coverage, today: int, lost_since: int | None) -> int:
    """The day up to which points fade: while coverage is lost, the day on which it was lost, else today."""
    if coverage is Coverage.LOST and lost_since is not None:
        return min(today, lost_since)
    return today


def while_watched(coverage: Coverage, before: int, level: int) -> int:
    """The level that is shown: while coverage is lost it may rise, never fall."""
    return max(before, level) if coverage is Coverage.LOST else level
