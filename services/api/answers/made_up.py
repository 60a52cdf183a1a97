"""Examples of answers, with made-up words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.answers.shapes import TRUE, Json
from services.api.examples import CASE_ID, CHECKPOINT, GIHANGA, POLICE, REFERRAL_ID, REPORT_ID, ROOT, SUBSCRIBER_ID

WORDS: Mapping[str, Any] = {
    "unit": GIHANGA, "counted_in": GIHANGA, "unit_name": "Gihanga", "matched": "Gihanga", "home": "bi:home:7",
    "homes": "bi:home:7", "scheme": "pcode", "code": "BDI001002", "level": 3, "from": 2, "to": 3, "level_name": "alert",
    "kind": "violence", "stage": "open", "severity": "severe", "verification_state": "probably_true",
    "precision": "commune", "credibility": "2", "reliability": "F", "circulating": "not", "last_decision": "refer",
    "outcome": "contradicted", "recipient": POLICE, "recipient_class": "community_police", "label": "Community police",
    "purpose": "protection", "purposes": "protection", "conflicts_with": "state_forces", "state": "accepted",
    "reason": "unsafe", "awaited": "acceptance", "step": 1, "type": "report.received", "record": "report",
    "role": "reviewer", "field": "text", "sealed_fields": "text", "channel": "sms", "language": "rn",
    "basis": "witnessed", "recorded_by": "self", "people_agree_to_share": "not_asked", "what": "grade",
    "urgency": "past", "flags": "clock_doubtful", "mode": "actual", "standing": "stands", "independent": "unknown",
    "confidence": "low", "confidence_reason": "coverage_unknown", "cause": "evidence", "how": "name",
    "minimum_data": "place", "election": "bi-2027-presidential", "round": 1,
    "source": "Electoral commission, calendar", "rule_set": "burundi", "content": 'name = "burundi"\n',
    "gazetteer": "burundi", "division": "2015", "divisions": "2015", "division_in_force": "2015", "inside": "Bubanza",
    "content_hash": "0" * 64, "rules_hash": "0" * 64, "name": "2015", "why": "several places bear this name",
    "report_id": REPORT_ID, "case_id": CASE_ID, "referral_id": REFERRAL_ID, "last_known": "2026-06-02",
    "since": "2026-06-02T10:00:00+00:00", "effective_at": "2026-06-02T10:00:00+00:00", "ratify_within_hours": 48.0,
    "url": "https://example.org/alerts", "minimum_level": 3, "changes": "raised", "modes": "actual",
    "disabled_because": "it answered 410: it wants nothing more", "last_status": 410, "status": 204, "position": 1234,
    "last_error": "it answered 410", "error": "it answered 503", "subscriber_id": SUBSCRIBER_ID,
    "secret": "whsec_bm90IGEgc2VjcmV0OiBpdCBzdGFuZHMgaW4gYW4gZXhhbXBsZQ==",
    "from_root": ROOT, "to_root": ROOT, "root": ROOT, "leaf": ROOT, "hashes": ROOT, "checkpoint": CHECKPOINT,
    "in_words": "Gihanga went from tension to alert on 02.06.2026.", "answered_by": "accepted",
}  # fmt: skip
"""What stands in an example under these names."""


def example(schema: Json, name: str = "") -> Any:
    """An answer as a schema describes it, with made-up words."""
    match schema:
        case {"anyOf": [one, *_]}:
            return example(one, name)
        case {"type": "array", "items": items}:
            return [example(items, name)]
        case {"type": "object", "properties": properties}:
            return {each: example(one, each) for each, one in properties.items()}
        case {"type": "object", "additionalProperties": one}:
            return {"alert_level" if one == TRUE else "text": example(one)}
        case {"type": "object"}:
            return {}
        case {"type": "boolean"}:
            return True
        case {"type": "integer"}:
            word = WORDS.get(name)
            return word if isinstance(word, int) else 1
        case {"type": "number"}:
            return WORDS.get(name, 1.0)
        case {"format": "uuid"}:
            return WORDS.get(name, REPORT_ID)
        case {"format": "date-time"}:
            return "2026-06-02T10:00:00Z"
        case {"const": word}:
            return word
        case {"type": "array"}:
            return [29.294, -3.197]
        case {"format": "date"}:
            return "2026-06-02"
        case _:
            word = WORDS.get(name, "Amakuru")
            return word if isinstance(word, str) or schema.get("type") != "string" else str(word)
