"""Subscribers, and what each was sent."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import ID, MOMENT, NUMBER, TEXT, TRUE, Json, fields, many, maybe

SUBSCRIBER = fields(
    {
        "subscriber_id": ID,
        "url": TEXT,
        "units": maybe(many(TEXT)),
        "minimum_level": maybe(NUMBER),
        "changes": maybe(many(TEXT)),
        "modes": many(TEXT),
        "group_by": maybe(TEXT),
        "group_seconds": maybe(NUMBER),
        "inhibit": TRUE,
        "state": TEXT,
        "disabled_because": maybe(TEXT),
        "disabled_since": maybe(MOMENT),
        "created_by": maybe(ID),
        "created_at": MOMENT,
        "position": NUMBER,
        "waiting": NUMBER,
        "held_back": NUMBER,
        "resends": NUMBER,
        "attempts": NUMBER,
        "failing_since": maybe(MOMENT),
        "next_at": maybe(MOMENT),
        "last_at": maybe(MOMENT),
        "last_status": maybe(NUMBER),
        "last_error": maybe(TEXT),
        "delivered_at": maybe(MOMENT),
        "old_secret_ends_at": maybe(MOMENT),
    }
)

ANSWERS: Mapping[str, Json] = {
    "subscribers": fields({"subscribers": many(SUBSCRIBER)}),
    "subscriber": SUBSCRIBER,
    "deliveries": fields(
        {
            "deliveries": many(
                fields(
                    {
                        "resends": NUMBER,
                        "position": NUMBER,
                        "event_id": ID,
                        "attempts": NUMBER,
                        "first_at": MOMENT,
                        "last_at": MOMENT,
                        "status": maybe(NUMBER),
                        "error": maybe(TEXT),
                        "delivered_at": maybe(MOMENT),
                    }
                )
            )
        }
    ),
    "subscriber.add": fields({"subscriber_id": ID, "secret": TEXT})
    | {"description": "Its id, and the secret that signs what is sent to it: it is not shown again."},
    "subscriber.rotate": fields({"subscriber_id": ID, "secret": TEXT, "old_secret_ends_at": MOMENT})
    | {"description": "The new secret, and until when the one before it signs too."},
    "subscriber.act": fields({"subscriber_id": ID}) | {"description": "Done."},
}
