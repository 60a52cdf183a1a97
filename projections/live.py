"""The projections that are kept live, and that reads ask; adding one is one line."""

from __future__ import annotations

from typing import Any

from projections import alert_level, case_board, case_timeline, coverage, referral_board, review_queue, silences
from projections.projection import Projection

LIVE: tuple[Projection[Any, Any], ...] = (
    alert_level.PROJECTION,
    case_board.PROJECTION,
    case_timeline.PROJECTION,
    coverage.PROJECTION,
    referral_board.PROJECTION,
    review_queue.PROJECTION,
    silences.PROJECTION,
)
