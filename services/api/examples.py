"""One body for each command, as somebody might send it: shown in the description of the API, and told in its tests.

Nobody and nothing in them is real. Ids and moments are made up; a reader puts their own in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from events.envelope import canonical
from projections.rule_set import hash_of

GIHANGA, MPANDA, GISURU = "bi:c2015:gihanga", "bi:c2015:mpanda", "bi:c2015:gisuru"
POLICE, HEALTH = "community-police-gihanga", "health-centre-gihanga"

REPORT_ID = "0e1f7a52-6c1d-8b1e-9d57-2f1c1c9a7b10"
OTHER_REPORT_ID = "5c2d9b17-11aa-8f52-8a3e-6b0f6f1d2c20"
CASE_ID = "3d6b0a9e-7f42-8c35-b1c8-91e2a4d5f630"
OTHER_CASE_ID = "7a9c4e21-0b63-8d18-a6f4-3c5d7e8f9a40"
CHECK_ID = "1b2c3d4e-5f60-8172-8394-a5b6c7d8e950"
CONSENT_ID = "2c3d4e5f-6071-8283-94a5-b6c7d8e9fa60"
SUBSCRIBER_ID = "7b1c9d2e-5f3a-4e8b-a6d0-1c2b3a495867"
SILENCE_ID = "5c1d0b7e-4a93-8f26-b1c8-7d20e95f3a64"
ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
CHECKPOINT = f"""\
intabaza.invalid/a1b2
1000
{ROOT}

\u2014 intabaza.invalid/a1b2 5HWRuv9LbQ3y…
"""
LOG_KEY = "intabaza.invalid/a1b2+e475918b+AQK8Y3O2…\n"
ALERT_ID = "aa32026b-a06d-8e0a-87ba-be45ec48fbf0"
REFERRAL_ID = "4e5f6071-8293-84a5-a6b7-c8d9eafb0c70"
MEMBER, ANOTHER, THIRD, FOURTH = (
    "8f1e2d3c-4b5a-4697-8786-958473625180",
    "9a0b1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c90",
    "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4ca0",
    "b2c3d4e5-f6a7-4b8c-9d0e-1f2a3b4c5db0",
)
SOON, LATER = "2026-06-02T12:00:00+02:00", "2026-06-05T12:00:00+02:00"

_RULES = 'name = "burundi"\n'
_GAZETTEER: dict[str, Any] = {
    "gazetteer_id": "bi",
    "units": {"columns": ["kind", "unit_id"], "rows": [["commune", GIHANGA]]},
}

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "report.receive": {
        "channel": "sms",
        "language": "rn",
        "kind": "violence",
        "basis": "witnessed",
        "unit": GIHANGA,
        "place_precision": "hill",
        "occurred": {"from": "2025-05-20"},
        "harm": [{"what": "injured", "min": 1}],
        "urgency": "past",
        "text": "Abantu batatu bakomeretse ku isoko.",
        "place_words": "hafi y'isoko",
    },
    "report.grade": {"round": 1, "reliability": "F", "credibility": "2", "note": "Two others say the same."},
    "report.recuse": {"round": 1, "reason": "knows_the_people"},
    "report.conclude": {"round": 1, "reliability": "F", "credibility": "2"},
    "report.correct": {
        "unit": MPANDA,
        "place_precision": "commune",
        "harm": [{"what": "injured", "min": 2, "max": 3}],
        "reason": "The reporter called back and named the place.",
    },
    "report.withdraw": {"reason": "duplicate", "note": "The same message came by voice."},
    "report.supersede": {"unit": MPANDA, "place_precision": "commune"},
    "case.open-case": {
        "kind": "violence",
        "unit": GIHANGA,
        "place_precision": "commune",
        "reports": [{"report_id": REPORT_ID, "independent": "unknown"}],
        "occurred": {"from": "2025-05-20"},
        "summary": "Three people hurt at the market in the morning.",
        "actor_class": "unknown",
    },
    "case.ratify": {"in_favour": [MEMBER, ANOTHER]},
    "case.not-ratify": {"in_favour": [MEMBER, ANOTHER], "reason": "Nobody else has heard of it."},
    "case.classify": {"kind": "violence", "sub_kind": "assault", "actor_class": "identity_militias"},
    "case.link-report": {"report_id": OTHER_REPORT_ID, "independent": "yes"},
    "case.unlink-report": {"report_id": OTHER_REPORT_ID, "reason": "It speaks of another day."},
    "case.relate": {"case_id": OTHER_CASE_ID, "relation": "spread_from"},
    "case.unrelate": {"case_id": OTHER_CASE_ID, "relation": "spread_from"},
    "case.merge": {"into": OTHER_CASE_ID},
    "case.reverse-merge": {"into": OTHER_CASE_ID},
    "case.assess": {
        "round": 1,
        "verification_state": "probably_true",
        "credibility": "2",
        "severity": "severe",
        "harm": [{"what": "injured", "min": 1, "max": 3}],
        "evidence": [REPORT_ID],
        "in_favour": [MEMBER, ANOTHER],
        "recused": [FOURTH],
        "dissent": [{"by": THIRD, "severity": "moderate", "note": "Nobody was taken to hospital."}],
        "note": "Agreed after two calls to the market.",
    },
    "case.record-harm": {"what": "injured", "min": 1, "max": 3, "basis": "witnessed"},
    "case.decide": {"choice": "refer", "reason": "The community police can be there within the hour."},
    "case.record-action": {"what": "medical_help", "by": "network", "referral_id": REFERRAL_ID, "note": "Two treated."},
    "case.check-harm": {
        "recipient": POLICE,
        "purpose": "protection",
        "verdict": "unclear",
        "valid_until": LATER,
        "reason": "Who did it is not known.",
    },
    "case.release-check": {"check_id": CHECK_ID, "reason": "Their post is far from those who are alleged."},
    "case.record-consent": {
        "basis": "not_possible",
        "purposes": ["protection"],
        "recipients": [POLICE],
        "reason": "Nobody could be reached in time.",
    },
    "case.act-without-consent": {"consent_id": CONSENT_ID, "reason": "Lives are at risk tonight."},
    "case.withdraw-consent": {"consent_id": CONSENT_ID},
    "case.refer": {
        "recipient": POLICE,
        "purpose": "protection",
        "minimum_data": ["place", "kind"],
        "acknowledge_by": SOON,
        "act_by": LATER,
        "check_id": CHECK_ID,
        "consent_id": CONSENT_ID,
        "note": "Please be seen at the market.",
    },
    "case.acknowledge": {"referral_id": REFERRAL_ID},
    "case.accept": {"referral_id": REFERRAL_ID, "means": "phone", "recorded_by": "coordinator"},
    "case.decline": {"referral_id": REFERRAL_ID, "reason": "unsafe", "note": "The road is closed."},
    "case.complete": {"referral_id": REFERRAL_ID, "successful": True, "note": "They stayed until the market closed."},
    "case.revoke": {"referral_id": REFERRAL_ID, "reason": "no_longer_needed"},
    "case.fail-delivery": {"referral_id": REFERRAL_ID, "means": "phone"},
    "case.move-deadline": {
        "referral_id": REFERRAL_ID,
        "acknowledge_by": SOON,
        "act_by": LATER,
        "reason": "The network was down.",
    },
    "case.check-outcome": {"referral_id": REFERRAL_ID, "outcome": "contradicted", "note": "Nobody came."},
    "case.resolve": {"outcome": "settled", "mechanism": "mediation", "by": "community", "note": "The elders met both."},
    "case.close": {"reason": "The committee's work is done."},
    "case.reopen": {
        "reason": "new_evidence",
        "reports": [{"report_id": OTHER_REPORT_ID, "independent": "yes"}],
        "note": "It happened again.",
    },
    "alert.override": {
        "unit": GIHANGA,
        "level": 2,
        "until": SOON,
        "reason": "local_knowledge",
        "note": "The elders walked the market: it is quiet.",
    },
    "alert.end-override": {"unit": GIHANGA},
    "alert.silence": {
        "unit": GIHANGA,
        "up_to_level": 3,
        "changes": ["raised"],
        "until": LATER,
        "reason": "answered_already",
        "note": "The administrator and the police are there.",
    },
    "alert.end-silence": {"unit": GIHANGA, "silence_id": SILENCE_ID},
    "alert.acknowledge": {"unit": GIHANGA, "alert_id": ALERT_ID, "note": "I call the administrator."},
    "reporter.enrol": {
        "who": {"phone": "+257 79 000 001"},
        "unit": GIHANGA,
        "languages": ["rn", "fr"],
        "channels": ["sms", "voice"],
        "trained": True,
    },
    "reporter.assign-coverage": {
        "who": {"phone": "+257 79 000 001"},
        "unit": GIHANGA,
        "units": [GIHANGA],
        "channel": "sms",
        "cadence_days": 7,
    },
    "reporter.check-in": {
        "unit": GIHANGA,
        "on": "2025-05-20",
        "channel": "sms",
        "nothing_to_report": True,
        "felt_safety": 7,
    },
    "reporter.stand-down-reporter": {"who": {"phone": "+257 79 000 001"}, "unit": GIHANGA, "reason": "moved"},
    "reference.adopt-rules": {
        "rule_set": "burundi",
        "content": _RULES,
        "content_hash": hash_of(_RULES),
    },
    "reference.adopt-gazetteer": {
        "gazetteer": "burundi",
        "content": _GAZETTEER,
        "content_hash": sha256(canonical(_GAZETTEER)).hexdigest(),
    },
    "reference.register-recipient": {
        "recipient": POLICE,
        "recipient_class": "community_police",
        "label": "Community police of Gihanga",
        "serves": [GIHANGA],
        "purposes": ["protection", "information"],
        "conflicts_with": ["state_forces"],
    },
    "reference.date-election": {
        "election": "bi-2027-presidential",
        "round": "presidential",
        "standing": "announced",
        "on": "2027-05-20",
        "campaign_from": "2027-05-03",
        "campaign_to": "2027-05-17",
        "source": "Electoral commission, calendar",
    },
    "reference.adopt-engine": {"projection": "alert_level", "number": 1},
    "reference.waive-event": {
        "projection": "case_timeline",
        "key": f"case/{CASE_ID}",
        "position": 1234,
        "why": "unreadable",
    },
}
"""Operation → a body that reads as its command."""

SUBSCRIBER_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "subscriber.add": {"url": "https://example.org/alerts", "units": ["bi:p2015:bubanza"], "minimum_level": 3},
    "subscriber.change": {"url": "https://example.org/alerts", "changes": ["raised", "lowered"]},
    "subscriber.rotate": {},
    "subscriber.disable": {},
    "subscriber.enable": {},
    "subscriber.resend": {"from_position": 1200},
    "subscriber.remove": {},
}
"""The same for who is told by webhook."""

OPENING_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "custody.open": {"version": 1, "fields": ["text"], "purpose": "review"},
    "custody.approve": {"version": 1, "fields": ["contact"], "purpose": "disclosure", "opener": MEMBER},
}
"""The same for opening what is sealed."""

EVIDENCE_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "custody.take-evidence": {"purpose": "audit"},
    "custody.approve-evidence": {"purpose": "disclosure", "taker": MEMBER},
}
"""The same for evidence of a case."""

ERASURE_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "custody.erase-person": {"who": {"phone": "+25779000001"}, "approvals": []},
    "custody.approve-erasure": {"who": {"phone": "+25779000001"}, "eraser": MEMBER},
}
"""The same for erasing a person."""
