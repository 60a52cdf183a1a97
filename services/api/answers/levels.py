"""Levels, and how far the network hears what they rest on."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import (
    ANYTHING,
    CODED,
    DAY,
    ID,
    MOMENT,
    NAMED,
    NUMBER,
    SPOKEN_OF,
    TEXT,
    TRUE,
    Json,
    fields,
    many,
    maybe,
)

CONTRIBUTION = fields(
    {
        "case_id": ID,
        "kind": TEXT,
        "given": NUMBER,
        "faded": NUMBER,
        "floor": NUMBER,
        "rank": NUMBER,
        "counted": NUMBER,
    }
)

LEVEL = fields(
    CODED | {"level": maybe(NUMBER), "level_name": maybe(TEXT)},
    {
        "heard": TRUE,
        "note": TEXT,
        "home": TEXT,
        "points": NUMBER,
        "peace_offset": NUMBER,
        "window_permille": NUMBER,
        "straight_to": maybe(NUMBER),
        "open_cases": NUMBER,
        "outcomes_asked": NUMBER,
        "confidence": TEXT,
        "confidence_reason": maybe(TEXT),
        "last_known": maybe(TEXT),
        "cause": maybe(TEXT),
        "since": maybe(TEXT),
        "rules_hash": maybe(TEXT),
        "engine": maybe(NUMBER),
        "told_level": maybe(NUMBER),
        "overridden": maybe(fields({"level": NUMBER, "until": MOMENT})),
        "alert": maybe(fields({"alert_id": ID, "acknowledged_at": maybe(MOMENT), "acknowledged_by": maybe(TEXT)})),
        "contributions": many(CONTRIBUTION),
        "peace": many(ANYTHING),
    },
)

COVERAGE = fields(
    CODED
    | {
        "home": maybe(TEXT),
        "state": TEXT,
        "since": maybe(DAY),
        "last_sign": maybe(DAY),
        "confidence": TEXT,
        "confidence_reason": TEXT,
        "reporters": NUMBER,
        "silent": NUMBER,
        "next_due": maybe(MOMENT),
        "channels": many(fields({"channel": TEXT, "state": TEXT, "since": DAY, "last_sign": maybe(DAY)})),
    },
    {"note": TEXT},
)

ANSWERS: Mapping[str, Json] = {
    "levels": fields({"levels": many(LEVEL)}, SPOKEN_OF),
    "level": LEVEL | {"properties": LEVEL["properties"] | SPOKEN_OF},
    "level_history": fields(
        CODED
        | {
            "changes": many(
                fields(
                    {
                        "number": NUMBER,
                        "from": maybe(NUMBER),
                        "to": maybe(NUMBER),
                        "cause": TEXT,
                        "effective_at": TEXT,
                        "explanation": ANYTHING,
                    },
                    {"in_words": many(TEXT)},
                )
            )
        },
        SPOKEN_OF,
    ),
    "level_explanation": fields(
        CODED
        | {
            "language": TEXT,
            "read_by_a_native": TRUE,
            "as_of": maybe(TEXT) | {"description": "The moment as it was named."},
            "level": NUMBER,
            "level_name": TEXT,
            "in_words": many(TEXT),
        },
        {"explanation": ANYTHING, "said_at_position": NUMBER, "confidence_reason": TEXT, "confidence_is_exact": TRUE}
        | SPOKEN_OF,
    ),
    "coverages": fields({"coverage": many(COVERAGE)}, SPOKEN_OF),
    "coverage": COVERAGE | {"properties": COVERAGE["properties"] | SPOKEN_OF},
    "silent_reporters": fields(
        {
            "missed_cadences": maybe(NUMBER),
            "silent": many(
                fields(
                    {
                        "person_id": ID,
                        "units": many(fields(NAMED)),
                        "channel": TEXT,
                        "cadence_days": NUMBER,
                        "last_sign": DAY,
                        "silent_since": DAY,
                    }
                )
            ),
        }
    ),
}
