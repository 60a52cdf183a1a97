"""What reads and acts answer, as JSON Schemas, by the name of the route.

Fields may be added: whoever reads passes over those that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers import alerts, cases, custody, features, levels, log, reference, referrals, subscribers
from services.api.answers.shapes import Json

ANSWERS: Mapping[str, Json] = {
    **alerts.ANSWERS,
    **cases.ANSWERS,
    **custody.ANSWERS,
    **features.ANSWERS,
    **levels.ANSWERS,
    **log.ANSWERS,
    **reference.ANSWERS,
    **referrals.ANSWERS,
    **subscribers.ANSWERS,
}
