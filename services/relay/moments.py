"""Which moment the clock should tick for now: pure arithmetic with a zone, a now, and the last tick."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from events.reference import TickReason


def moment_to_tick(
    now: datetime, last: datetime, due: datetime | None, zone: tzinfo
) -> tuple[datetime, TickReason] | None:
    """The latest moment that has passed since the last tick was recorded, and why it is one; None where there is none.

    Local midnight and each local hour, and `due`, the earliest moment at which something falls due. One tick carries
    over any gap: what was missed is not made up.
    """
    local = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    hour = local.astimezone(UTC)
    found = []
    if last < hour <= now:
        found.append((hour, TickReason.HOUR if local.hour else TickReason.MIDNIGHT))
    if due is not None and last < due <= now:
        found.append((due.astimezone(UTC), TickReason.DUE))
    return max(found, key=lambda one: one[0], default=None)
