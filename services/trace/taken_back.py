"""What an event says was not so, or is so no more: the event that it takes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from services.trace.events import ALERT, Told

OVERRIDDEN, OVERRIDE_ENDED = "alert.overridden", "alert.override_ended"

Same = Callable[[Told, Told], bool]


def _any(later: Told, earlier: Told) -> bool:
    return True


def _same_report(later: Told, earlier: Told) -> bool:
    return bool(later.data["report_id"] == earlier.data["report_id"])


def _same_other(later: Told, earlier: Told) -> bool:
    return all(later.data.get(name) == earlier.data.get(name) for name in ("into", "absorbed"))


def _named(later: Told, earlier: Told) -> bool:
    return str(earlier.row.event_id) in (later.data.get("cancels"), later.data.get("updates"))


TAKES_BACK: Mapping[str, tuple[str, Same]] = {
    "report.withdrawn": ("report.received", _any),
    "report.superseded": ("report.received", _any),
    "case.report_unlinked": ("case.report_linked", _same_report),
    "case.assessed": ("case.assessed", _any),
    "case.not_ratified": ("case.opened", _any),
    "case.merge_reversed": ("case.merged", _same_other),
    OVERRIDE_ENDED: (OVERRIDDEN, _any),
    ALERT: (ALERT, _named),
}
"""Type → which type it takes back, and by what it is known that it is that one. The latest before it is meant."""


def taken_back(event: Told, stream: Sequence[Told]) -> Told | None:
    """The event of the same stream that this one takes back, if it takes any back."""
    if event.row.type not in TAKES_BACK:
        return None
    type_, same = TAKES_BACK[event.row.type]
    before = (one for one in reversed(stream) if one.row.position < event.row.position)
    return next((one for one in before if one.row.type == type_ and same(event, one)), None)
