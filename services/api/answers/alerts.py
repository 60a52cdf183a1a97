"""Alerts, as each of their listeners reads them."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import ANYTHING, CODED, ID, MOMENT, NUMBER, SPOKEN_OF, TEXT, Json, fields, many, maybe

SILENCE = fields(
    CODED
    | {
        "silence_id": ID,
        "up_to_level": NUMBER,
        "changes": many(TEXT),
        "kinds": many(TEXT),
        "since": MOMENT,
        "until": MOMENT,
        "by": TEXT,
        "reason": TEXT,
        "ended_at": maybe(MOMENT),
        "how": maybe(TEXT),
    }
)

ANSWERS: Mapping[str, Json] = {
    "alerts": fields({"alerts": many(ANYTHING | {"description": "The CloudEvent of alerts.v1: see asyncapi.json."})}),
    "standing_alerts": fields(
        {
            "alerts": many(
                fields(
                    CODED
                    | {
                        "alert_id": ID,
                        "level": NUMBER,
                        "level_name": TEXT,
                        "since": MOMENT,
                        "acknowledged_at": maybe(MOMENT),
                        "acknowledged_by": maybe(TEXT),
                    }
                )
            )
        }
    ),
    "silences": fields({"silences": many(SILENCE)}, SPOKEN_OF),
    "silence": SILENCE | {"properties": SILENCE["properties"] | SPOKEN_OF},
    "alert_as_cap": TEXT | {"description": "A CAP 1.2 document, by the XML Schema of OASIS."},
    "alerts_table": TEXT | {"description": "CSV by RFC 4180, in UTF-8, with a line of names."},
    "alerts_data_package": fields(
        {"profile": TEXT, "name": TEXT, "title": TEXT, "description": TEXT, "resources": many(ANYTHING)}
    ),
    "alert_feed": TEXT | {"description": "An Atom feed: RFC 4287, its pages by RFC 5005."},
}
