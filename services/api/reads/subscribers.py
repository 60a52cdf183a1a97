"""Who is told by webhook, how far each was told, what was sent with what result; of oneself, or to an admin of all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from services.api.reading import Asked, Read, Reply
from services.api.subscribing import ADDRESS, owner
from services.subscribers.register import Subscriber


async def subscribers(asked: Asked) -> Reply:
    """Where alerts are sent, the eldest first, and how each stands."""
    created_at, subscriber_id = asked.cursor(datetime, UUID)
    after = None if created_at is None else (created_at, subscriber_id)
    found = await asked.office.register.list(owner(asked.asking), after, asked.rows + 1)
    shown = found[: asked.rows]
    last = [shown[-1].created_at, shown[-1].subscriber_id] if len(found) > len(shown) else None
    return Reply({"subscribers": [_shown(one) for one in shown]}, after=last)


async def subscriber(asked: Asked) -> Reply:
    """One of them: how far it was told, what failed last, when it is tried again, whether it is disabled."""
    return Reply(_shown(await asked.office.register.find(owner(asked.asking), asked.id("subscriber_id"))))


async def deliveries(asked: Asked) -> Reply:
    """What was sent to it, the latest first: how often it was tried, and with what result."""
    resends, position = asked.cursor(int, int)
    after = None if resends is None else (resends, position)
    subscriber_id = asked.id("subscriber_id")
    rows = await asked.office.register.deliveries(owner(asked.asking), subscriber_id, after, asked.rows + 1)
    shown = rows[: asked.rows]
    names = ("resends", "position", "event_id", "attempts", "first_at", "last_at", "status", "error", "delivered_at")
    document = {"deliveries": [{name: row[name] for name in names} for row in shown]}
    last = [shown[-1]["resends"], shown[-1]["position"]] if len(rows) > len(shown) else None
    return Reply(document, after=last)


def _shown(one: Subscriber) -> dict[str, Any]:
    filters = one.filters
    return {
        "subscriber_id": one.subscriber_id,
        "url": one.url,
        "units": None if filters.units is None else sorted(filters.units),
        "minimum_level": filters.minimum_level,
        "changes": None if filters.changes is None else sorted(filters.changes),
        "modes": sorted(filters.modes),
        "group_by": "province" if one.manner.by_province else None,
        "group_seconds": one.manner.wait_seconds if one.manner.by_province else None,
        "inhibit": one.manner.inhibits,
        "state": "active" if one.disabled_since is None else "disabled",
        "disabled_because": one.disabled_because,
        "disabled_since": one.disabled_since,
        "created_by": one.created_by,
        "created_at": one.created_at,
        "position": one.position,
        "waiting": one.waiting,
        "held_back": one.held_back,
        "resends": one.resends,
        "attempts": one.attempts,
        "failing_since": one.failing_since,
        "next_at": one.next_at,
        "last_at": one.last_at,
        "last_status": one.last_status,
        "last_error": one.last_error,
        "delivered_at": one.delivered_at,
        "old_secret_ends_at": one.old_secret_ends_at,
    }


READS = (
    Read(ADDRESS, "read.subscribers", subscribers, paged=True),
    Read(f"{ADDRESS}/{{subscriber_id}}", "read.subscribers", subscriber),
    Read(f"{ADDRESS}/{{subscriber_id}}/deliveries", "read.subscribers", deliveries, paged=True),
)
