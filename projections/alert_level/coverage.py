"""What it does to a level that nobody watches: calm and cut off must not look the same."""

from __future__ import annotations


def fading_day(today: int, lost_since: int | None) -> int:
    """The day up to which points fade: while coverage is lost, the day on which it was lost, else today."""
    return today if lost_since is None else min(today, lost_since)


def while_watched(level: int, before: int, *, lost: bool) -> int:
    """The level that is shown: while coverage is lost it may rise, never fall."""
    return max(before, level) if lost else level
