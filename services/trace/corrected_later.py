"""What was taken back while nobody watched a unit is corrected once somebody does: by which change of its level."""

from __future__ import annotations

from collections.abc import Sequence

from events.level import LevelCause
from projections.watching import SIGNS
from services.trace.events import LEVEL, Told

MAY_BE_HELD = frozenset(
    {
        "report.withdrawn",
        "report.superseded",
        "case.report_unlinked",
        "case.assessed",
        "case.not_ratified",
        "case.merged",
        "case.merge_reversed",
    }
)
"""Types that may take something back in a unit that nobody watches."""


def corrected_later(event: Told, levels: Sequence[Told]) -> Told | None:
    """The first fall of a unit's level after an event, if it takes something back at another moment than the event's.

    Rises in between are passed over: a level that nobody watches may rise. Whether it was a sign of life that let it
    fall, and no other act, is seen at its moment (`came_with_a_sign`).
    """
    if event.row.type not in MAY_BE_HELD:
        return None
    later = (one for one in levels if one.row.type == LEVEL and one.row.position > event.row.position)
    fall = next((one for one in later if one.data["to"] < one.data["from"]), None)
    if fall is None or fall.data["cause"] != LevelCause.RETRACTION or fall.moment == event.row.recorded_at:
        return None
    return fall


def came_with_a_sign(at_its_moment: Sequence[Told]) -> bool:
    """Whether of what was recorded at a moment some are signs of life and none is an act that takes back."""
    types = {one.row.type for one in at_its_moment}
    return bool(types & SIGNS) and not types & MAY_BE_HELD
