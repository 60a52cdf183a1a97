"""The projections that the live workers keep; adding one is one line."""

from __future__ import annotations

from typing import Any

from projections import case_timeline
from projections.projection import Projection

LIVE: tuple[Projection[Any, Any], ...] = (case_timeline.PROJECTION,)
