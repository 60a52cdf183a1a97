"""The one place that reads the clock; everything else takes the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment of this machine, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is that one place


def as_utc(moment: datetime) -> datetime:
    """A moment with its offset; one without is taken as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
