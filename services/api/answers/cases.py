"""Cases, reports, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.referrals import REFERRAL_STATE
from services.api.answers.shapes import (
    ANYTHING,
    DATED,
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

TOLL = fields({"what": TEXT}, {"min": maybe(NUMBER), "max": maybe(NUMBER)})

CASE = {
    "case_id": ID,
    **NAMED,
    "home": TEXT,
    "kind": TEXT,
    "stage": TEXT,
    "provisional": TRUE,
    "severity": maybe(TEXT),
    "verification_state": maybe(TEXT),
    "merged_into": maybe(ID),
    "version": NUMBER,
    "precision": TEXT,
    "opened_at": MOMENT,
    "changed_at": MOMENT,
    "threat_to_life": TRUE,
    "ratify_by": maybe(MOMENT),
    "occurred": DATED,
    "expected": DATED,
    "round": NUMBER,
    "credibility": maybe(TEXT),
    "circulating": maybe(TEXT),
    "assessed_at": maybe(MOMENT),
    "last_decision": maybe(TEXT),
    "last_decision_at": maybe(MOMENT),
    "outcome": maybe(TEXT),
}

GRADE = fields({"by": ID, "round": NUMBER, "reliability": TEXT, "credibility": TEXT}, {"note": ANYTHING})

TIMELINE = fields(
    {
        "events": many(
            fields(
                {
                    "position": NUMBER,
                    "record": TEXT,
                    "record_id": ID,
                    "version": NUMBER,
                    "type": TEXT,
                    "recorded_at": MOMENT,
                    "role": TEXT,
                    "actor": ID,
                    "still_linked": maybe(TRUE),
                    "data": ANYTHING,
                    "sealed_fields": many(TEXT),
                }
            )
        )
    },
    SPOKEN_OF,
)

ANSWERS: Mapping[str, Json] = {
    "cases": fields(
        {
            "cases": many(
                fields(
                    CASE
                    | {
                        "next_deadline": maybe(MOMENT),
                        "reports_linked": NUMBER,
                        "reports_standing": NUMBER,
                        "referrals_open": NUMBER,
                    }
                )
            )
        },
        SPOKEN_OF,
    ),
    "ended_cases": fields({"cases": many(fields(CASE))}, SPOKEN_OF),
    "case": fields(
        CASE
        | {
            "reports": many(fields({"report_id": ID, "independent": TEXT})),
            "referrals": many(
                fields(REFERRAL_STATE | {"delivery_failed_at": maybe(MOMENT), "completed_at": maybe(MOMENT)})
            ),
            "absorbed": many(ID),
        },
        SPOKEN_OF,
    ),
    "case_counts": fields(
        {
            "counts": many(
                fields(
                    NAMED
                    | {"kind": TEXT, "stage": TEXT, "severity": maybe(TEXT), "cases": NUMBER, "provisional": NUMBER}
                )
            )
        },
        SPOKEN_OF,
    ),
    "case_timeline": TIMELINE,
    "report_timeline": TIMELINE,
    "report": fields(
        {
            "report_id": ID,
            "version": NUMBER,
            "mode": TEXT,
            "standing": TEXT,
            "received_again_as": maybe(ID),
            "received_before_as": many(ID),
            **NAMED,
            "precision": TEXT,
            "home": TEXT,
            "channel": TEXT,
            "language": TEXT,
            "kind": TEXT,
            "basis": TEXT,
            "recorded_by": TEXT,
            "people_agree_to_share": TEXT,
            "occurred": DATED,
            "expected": DATED,
            "harm": many(TOLL),
            "urgency": TEXT,
            "flags": many(TEXT),
            "received_at": MOMENT,
            "round": NUMBER,
            "reliability": TEXT,
            "credibility": maybe(TEXT),
            "grades": many(GRADE),
            "recused": many(ID),
            "sealed_fields": many(fields({"field": TEXT, "version": NUMBER})),
        }
    ),
    "changed_evidence": fields(
        {"cases": many(fields({"case_id": ID, **NAMED, "changed_at": MOMENT, "reports": many(ID)}))},
        SPOKEN_OF,
    ),
    "queue": fields(
        {
            "role": TEXT,
            "waiting": many(
                fields(
                    {
                        "what": TEXT,
                        "referral_id": maybe(ID),
                        **NAMED,
                        "home": TEXT,
                        "kind": maybe(TEXT),
                        "urgent": TRUE,
                        "since": MOMENT,
                        "due": maybe(MOMENT),
                        "round": maybe(NUMBER),
                        "grades": maybe(NUMBER),
                        "agreeing": maybe(NUMBER),
                    },
                    {"case_id": ID, "report_id": ID},
                )
            ),
        },
        SPOKEN_OF,
    ),
    "queue_counts": fields(
        {
            "counts": many(
                fields(
                    {"role": TEXT, "what": TEXT, "things": NUMBER, "oldest": maybe(MOMENT), "first_due": maybe(MOMENT)}
                )
            )
        },
        SPOKEN_OF,
    ),
}
