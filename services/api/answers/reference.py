"""Places, elections, and what was adopted."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import CODED, DAY, MOMENT, NAMED, NUMBER, TEXT, TRUE, Json, fields, many, maybe

PLACE_MEANT = fields(
    NAMED
    | {
        "kind": TEXT,
        "matched": TEXT,
        "how": TEXT,
        "alias_kind": maybe(TEXT),
        "inside": many(TEXT),
        "divisions": many(TEXT),
        "in_force": TRUE,
        "now": many(fields({"unit": TEXT, "permille": NUMBER})),
    }
)

ADOPTED = {"content_hash": TEXT, "adopted_at": MOMENT, "position": NUMBER}

ANSWERS: Mapping[str, Json] = {
    "places": fields(
        {
            "found": maybe(PLACE_MEANT),
            "candidates": many(PLACE_MEANT),
            "why": maybe(TEXT),
            "near": many(PLACE_MEANT),
        }
    ),
    "place": fields(
        CODED
        | {
            "kind": TEXT,
            "home": TEXT,
            "in_force": TRUE,
            "divisions": many(TEXT),
            "inside": many(fields(NAMED)),
            "counted_in": maybe(TEXT),
            "successors": many(fields(NAMED | {"permille": NUMBER})),
            "latitude_udeg": maybe(NUMBER),
            "longitude_udeg": maybe(NUMBER),
            "population": maybe(NUMBER),
            "population_year": maybe(NUMBER),
        }
    ),
    "elections": fields(
        {
            "elections": many(
                fields(
                    {
                        "election": TEXT,
                        "round": TEXT,
                        "standing": TEXT,
                        "on": DAY,
                        "source": TEXT,
                        "recorded_at": MOMENT,
                    },
                    {"campaign_from": DAY, "campaign_to": DAY},
                )
            )
        }
    ),
    "rules": fields(ADOPTED | {"rule_set": TEXT, "content": TEXT}),
    "gazetteer": fields(
        ADOPTED
        | {
            "gazetteer": TEXT,
            "edition": NUMBER,
            "division_in_force": TEXT,
            "divisions": many(fields({"division": TEXT, "name": TEXT, "valid_from": maybe(DAY)})),
            "units": NUMBER,
            "homes": many(TEXT),
        }
    ),
    "committee": fields({"members": NUMBER, "required": NUMBER, "ratify_within_hours": {"type": "number"}}),
}
