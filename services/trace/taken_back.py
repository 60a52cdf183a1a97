"""What an event says was not so, or is so no more: the event that it takes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from events.vocabulary import ReasonReopened
from services.trace.events import ALERT, Told

OVERRIDDEN, OVERRIDE_ENDED = "alert.overridden", "alert.override_ended"

Same = Callable[[Told, Told], bool]


def _any(later: Told, earlier: Told) -> bool:
    return True


def _same_report(later: Told, earlier: Told) -> bool:
    return bool(later.data["report_id"] == earlier.data["report_id"])


def _same_consent(later: Told, earlier: Told) -> bool:
    return bool(later.data["consent_id"] == earlier.data["consent_id"])


def _was_not_so(later: Told, earlier: Told) -> bool:
    """A case that is opened again because the danger returned was at an end before."""
    return bool(later.data["reason"] != ReasonReopened.DANGER_RETURNED.value)


def _same_other(later: Told, earlier: Told) -> bool:
    return all(later.data.get(name) == earlier.data.get(name) for name in ("into", "absorbed"))


def _named(later: Told, earlier: Told) -> bool:
    return str(earlier.row.event_id) in (later.data.get("cancels"), later.data.get("updates"))


TAKES_BACK: Mapping[str, tuple[str, Same]] = {
    "report.withdrawn": ("report.received", _any),
    "report.superseded": ("report.received", _any),
    "case.report_unlinked": ("case.report_linked", _same_report),
    "case.not_ratified": ("case.opened", _any),
    "case.consent_withdrawn": ("case.consent_recorded", _same_consent),
    "case.reopened": ("case.resolved", _was_not_so),
    "case.merge_reversed": ("case.merged", _same_other),
    OVERRIDE_ENDED: (OVERRIDDEN, _any),
    ALERT: (ALERT, _named),
}
"""Type → which type it takes back, and by what it is known that it is that one. The latest before it is meant."""

ASSESSED, CLASSIFIED, OPENED = "case.assessed", "case.classified", "case.opened"


def taken_back(event: Told, stream: Sequence[Told]) -> tuple[Told, ...]:
    """The events of the same stream that this one takes back, the latest first.

    An assessment stands in the place of every one before it, and of what a case was opened as: which of them a level
    still rested on depends on the rules, so all of them are meant. So does a kind, where it was said to be another.
    """
    before = [one for one in reversed(stream) if one.row.position < event.row.position]
    if event.row.type == ASSESSED:
        return tuple(one for one in before if one.row.type in (ASSESSED, OPENED))
    if event.row.type == CLASSIFIED:
        kinds = (one for one in before if one.row.type in (CLASSIFIED, OPENED))
        return tuple(one for one in kinds if one.data["kind"] != event.data["kind"])
    if event.row.type not in TAKES_BACK:
        return ()
    type_, same = TAKES_BACK[event.row.type]
    return tuple(one for one in before if one.row.type == type_ and same(event, one))[:1]
