"""How many examples a property is tried on: few by default, `INTABAZA_EXAMPLES=10000` for whoever has the time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def examples(few: int) -> settings:
    """Settings for a property; deadlines are off, since timing decides no test."""
    # A test's own budget is no setting of the application.
    asked = int(os.environ.get("INTABAZA_EXAMPLES", "0"))  # noqa: TID251
    suppressed = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=max(few, asked), deadline=None, suppress_health_check=suppressed)
