"""Referrals, those who take them, and answers that are awaited."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import (
    ANYTHING,
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

REFERRAL_STATE = {
    "referral_id": ID,
    "recipient": TEXT,
    "purpose": TEXT,
    "state": TEXT,
    "referred_at": MOMENT,
    "state_since": MOMENT,
    "acknowledge_by": MOMENT,
    "act_by": MOMENT,
    "outcome": maybe(TEXT),
    "successful": maybe(TRUE),
    "reason": maybe(TEXT),
    "contradicted": NUMBER,
    "follows": maybe(ID),
}

REFERRAL = {"case_id": ID, **REFERRAL_STATE, "next_due": maybe(MOMENT), "overdue_since": maybe(MOMENT)}

WHERE = {**NAMED, "home": TEXT}
"""Of a referral, told to the network; a recipient is told the place as far as it was agreed."""

GAP = {
    "awaited": TEXT,
    "referral_id": maybe(ID),
    "step": maybe({"type": ["string", "integer"]}),
    "due": MOMENT,
    "rung": NUMBER,
    "told": maybe(fields({"role": TEXT, "since": MOMENT})),
    "next": maybe(fields({"role": TEXT, "due": MOMENT})),
}

RECIPIENT = fields(
    {
        "recipient": TEXT,
        "recipient_class": TEXT,
        "label": TEXT,
        "serves": many(fields(NAMED)),
        "purposes": many(TEXT),
        "conflicts_with": many(TEXT),
        "conflicts_locally": many(ANYTHING),
        "active": TRUE,
        "version": NUMBER,
        "registered_at": MOMENT,
    }
)

ANSWERS: Mapping[str, Json] = {
    "referrals": fields({"referrals": many(fields(REFERRAL, WHERE))}, SPOKEN_OF),
    "case_referrals": fields({"referrals": many(fields(REFERRAL, WHERE))}, SPOKEN_OF),
    "recipient_referrals": fields({"referrals": many(fields(REFERRAL, WHERE))}, SPOKEN_OF),
    "referral": fields(
        REFERRAL
        | {
            "minimum_data": many(TEXT),
            "agreed": maybe(ANYTHING),
            "note": maybe(fields({"version": NUMBER, "field": TEXT})),
        },
        WHERE | SPOKEN_OF,
    ),
    "referral_counts": fields(
        {
            "counts": many(
                fields(
                    {"recipient": TEXT, "state": TEXT, "outcome": maybe(TEXT), "referrals": NUMBER, "overdue": NUMBER}
                )
            )
        },
        SPOKEN_OF,
    ),
    "gaps": fields({"gaps": many(fields({"case_id": ID, **NAMED, "home": TEXT, **GAP}))}, SPOKEN_OF),
    "case_gaps": fields(
        {"gaps": many(fields(GAP | {"answered_at": maybe(MOMENT), "answered_by": maybe(TEXT)}))},
        SPOKEN_OF,
    ),
    "recipient": RECIPIENT,
    "recipients": fields({"recipients": many(RECIPIENT)}),
}
