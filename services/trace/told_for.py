"""For what strangers were told of a level: an alert itself says nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

from services.trace.events import ALERT, LEVEL, Told
from services.trace.taken_back import OVERRIDDEN, OVERRIDE_ENDED


def told_for(alert: Told, of_unit: Sequence[Told], levels: Sequence[Told]) -> tuple[Told, ...]:
    """The change of the level that an alert went with, which was recorded with it and right after it.

    Where there is none, what people decided last of the unit, and the change that stood then. `of_unit` is the unit's
    stream of alerts, `levels` that of its levels.
    """
    at = alert.row.position
    changes = [one for one in levels if one.row.type == LEVEL]
    with_it = [one for one in changes if one.row.position > at and one.row.recorded_at == alert.row.recorded_at]
    same = [one for one in with_it if all(one.data[name] == alert.data[name] for name in ("from", "to"))]
    if with_it:
        return tuple((same or with_it)[:1])
    decided = [one for one in of_unit if one.row.position < at and one.row.type in (OVERRIDDEN, OVERRIDE_ENDED)]
    return (*decided[-1:], *[one for one in changes if one.row.position < at][-1:])


def alerts_in(stream: Sequence[Told]) -> list[Told]:
    return [one for one in stream if one.row.type == ALERT]
