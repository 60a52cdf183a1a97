"""How many examples a property is tried on: few by default, `INTABAZA_EXAMPLES=10000` for whoever has the time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def examples(few: int) -> settings:
    """Settings for a property; deadlines are off, since timing decides no test."""
    suppressed = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=tries(few), deadline=None, suppress_health_check=suppressed)


def tries(few: int) -> int:
    """The same for a test that draws by itself."""
    # A test's own budget is no setting of the application.
    return max(few, int(os.environ.get("INTABAZA_EXAMPLES", "0")))  # noqa: TID251
