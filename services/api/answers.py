"""What reads answer, as JSON Schemas, by the name of the read.

Fields may be added: whoever reads passes over those that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.examples import CASE_ID, CHECKPOINT, GIHANGA, POLICE, REFERRAL_ID, REPORT_ID, ROOT, SUBSCRIBER_ID

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
ID: Json = {"type": "string", "format": "uuid"}
MOMENT: Json = {"type": "string", "format": "date-time"}
DAY: Json = {"type": "string", "format": "date"}
NUMBER: Json = {"type": "integer"}
TRUE: Json = {"type": "boolean"}
ANYTHING: Json = {"type": "object"}


def maybe(schema: Json) -> Json:
    """It, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def fields(always: Mapping[str, Json], sometimes: Mapping[str, Json] | None = None) -> Json:
    """An object with fields that are always there, and such as may be left out."""
    properties = {**always, **(sometimes or {})}
    return {"type": "object", "properties": properties, "required": sorted(always)}


NAMED = {"unit": TEXT, "unit_name": maybe(TEXT)}
CODED = NAMED | {"codes": many(fields({"scheme": TEXT, "code": TEXT}))}
SPOKEN_OF = {"as_of_position": NUMBER, "as_of_recorded_at": MOMENT}
"""Up to where an answer about a moment speaks."""

DATED = maybe(fields({}, {"from": maybe(DAY), "to": maybe(DAY), "precision": TEXT}))
TOLL = fields({"what": TEXT}, {"min": maybe(NUMBER), "max": maybe(NUMBER)})

HASH = TEXT | {"description": "32 bytes in base64: SHA-256."}
PROOF = {
    "hashes": many(HASH),
    "checkpoint": maybe(TEXT) | {"description": "That of exactly this size, where one was signed."},
}

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

TRACED_EVENT = {
    "event_id": ID,
    "position": NUMBER,
    "stream": TEXT,
    "type": TEXT,
    "recorded_at": MOMENT,
    "says": ANYTHING,
}
RESTING = many(fields(TRACED_EVENT | {"through": many(TEXT), "on": many(ID)}))
MESSAGE_SENT = {
    "subscriber_id": ID,
    "event_id": ID,
    "position": NUMBER,
    "resends": NUMBER,
    "attempts": NUMBER,
    "first_at": MOMENT,
    "last_at": MOMENT,
    "delivered_at": maybe(MOMENT),
}
TRACED = fields(
    dict.fromkeys(("judgements", "decisions", "referrals", "overdue", "level_changes", "alerts"), RESTING)
    | {"messages": many(fields(MESSAGE_SENT))}
)

LINKS = many(fields({"href": TEXT, "rel": TEXT, "type": TEXT}))
EXTENT = fields({"temporal": ANYTHING}, {"spatial": ANYTHING})
FEATURES = {"id": TEXT, "title": TEXT, "description": TEXT, "itemType": TEXT, "crs": many(TEXT), "links": LINKS}
COLLECTION = fields(FEATURES | {"extent": EXTENT})
GEOMETRY = maybe(fields({"type": TEXT, "coordinates": {"type": "array"}}))
MAPPED = {"unit": TEXT, "unit_name": maybe(TEXT), "pcode": maybe(TEXT), "national_code": maybe(TEXT)} | {
    "iso_3166": maybe(TEXT),
    "level": maybe(NUMBER),
    "level_name": maybe(TEXT),
}


def feature(properties: Mapping[str, Json], sometimes: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """A feature of GeoJSON with these properties."""
    said = fields(properties, sometimes)
    return {"type": {"const": "Feature"}, "id": TEXT, "geometry": GEOMETRY, "properties": said}


ALERT_FEATURE = feature(
    MAPPED
    | {
        "from": NUMBER,
        "on": DAY,
        "change": TEXT,
        "kinds": many(TEXT),
        "mode": TEXT,
        "warns": TRUE,
        "updates": maybe(ID),
        "cancels": maybe(ID),
        "rules_hash": TEXT,
    }
)
LEVEL_FEATURE = feature(MAPPED | {"since": maybe(DAY), "alert": maybe(ID)}, {"note": TEXT})


def features(one: Mapping[str, Json]) -> Json:
    """A page of them."""
    collection = {"type": {"const": "FeatureCollection"}, "features": many(fields(one))}
    return fields(collection | {"numberReturned": NUMBER, "links": LINKS})


SPEAKS = fields({"up_to_position": NUMBER, "complete": TRUE, "because": many(TEXT)})

ANSWERS: Mapping[str, Json] = {
    "trace": fields(
        {
            "event": fields(TRACED_EVENT),
            "takes_back": many(fields(TRACED_EVENT)),
            "recorded_together": many(fields(TRACED_EVENT)),
            "rests_on": RESTING,
            "resting": TRACED,
            "led_to": TRACED,
            "up_to_position": NUMBER,
            "complete": TRUE,
            "sources": fields(dict.fromkeys(("links", "levels", "messages"), SPEAKS)),
            "outside_your_area": NUMBER,
        }
    ),
    "landing": fields({"title": TEXT, "description": TEXT, "links": LINKS}),
    "conformance": fields({"conformsTo": many(TEXT)}),
    "feature_collections": fields({"links": LINKS, "collections": many(COLLECTION)}),
    "alerts_collection": COLLECTION,
    "levels_collection": COLLECTION,
    "alert_features": features(ALERT_FEATURE),
    "level_features": features(LEVEL_FEATURE),
    "alert_feature_of": fields(ALERT_FEATURE | {"links": LINKS}),
    "level_feature_of": fields(LEVEL_FEATURE | {"links": LINKS}),
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
    "silences": fields({"silences": many(SILENCE)}),
    "silence": SILENCE,
    "alert_as_cap": TEXT | {"description": "A CAP 1.2 document, by the XML Schema of OASIS."},
    "alerts_table": TEXT | {"description": "CSV by RFC 4180, in UTF-8, with a line of names."},
    "alerts_data_package": fields(
        {"profile": TEXT, "name": TEXT, "title": TEXT, "description": TEXT, "resources": many(ANYTHING)}
    ),
    "alert_feed": TEXT | {"description": "An Atom feed: RFC 4287, its pages by RFC 5005."},
    "log_checkpoint": TEXT | {"description": "A signed note of C2SP: tlog-checkpoint."},
    "inclusion_proof": fields(
        {"position": NUMBER, "index": NUMBER, "size": NUMBER, "leaf": HASH, "root": HASH} | PROOF
    ),
    "consistency_proof": fields({"from": NUMBER, "to": NUMBER, "from_root": HASH, "to_root": HASH} | PROOF),
    "log_keys": TEXT | {"description": "Verifier keys of C2SP signed-note, one a line, the oldest first."},
    "log_tile": TEXT | {"description": "A tile of C2SP tlog-tiles: its width times 32 bytes."},
    "log_entry_bundle": TEXT | {"description": "An entry bundle of C2SP tlog-tiles."},
    "log_entry": TEXT | {"description": "A CloudEvent, byte for byte as it is on Kafka."},
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
        }
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
    "ended_cases": fields({"cases": many(fields(CASE))}),
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
    "gaps": fields({"gaps": many(fields({"case_id": ID, **NAMED, "home": TEXT, **GAP}))}),
    "case_gaps": fields(
        {"gaps": many(fields(GAP | {"answered_at": maybe(MOMENT), "answered_by": maybe(TEXT)}))},
    ),
    "referrals": fields({"referrals": many(fields(REFERRAL, WHERE))}, SPOKEN_OF),
    "case_referrals": fields({"referrals": many(fields(REFERRAL, WHERE))}),
    "recipient_referrals": fields({"referrals": many(fields(REFERRAL, WHERE))}),
    "referral": fields(
        REFERRAL
        | {
            "minimum_data": many(TEXT),
            "agreed": maybe(ANYTHING),
            "note": maybe(fields({"version": NUMBER, "field": TEXT})),
        },
        WHERE,
    ),
    "referral_counts": fields(
        {
            "counts": many(
                fields(
                    {"recipient": TEXT, "state": TEXT, "outcome": maybe(TEXT), "referrals": NUMBER, "overdue": NUMBER}
                )
            )
        }
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
    "changed_evidence": fields(
        {"cases": many(fields({"case_id": ID, **NAMED, "changed_at": MOMENT, "reports": many(ID)}))}
    ),
    "recipient": RECIPIENT,
    "recipients": fields({"recipients": many(RECIPIENT)}),
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
    "position": fields(
        {
            "position": NUMBER,
            "recorded": TRUE,
            "published": TRUE,
            "projected": ANYTHING | {"additionalProperties": TRUE},
        }
    ),
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
    "custody.open": fields({"version": NUMBER, "texts": ANYTHING | {"additionalProperties": TEXT}})
    | {"description": "The texts, by their fields."},
    "custody.approve": fields({"approval": TEXT})
    | {"description": "An approval, for whoever opens to send along; good for a quarter of an hour."},
    "custody.take-evidence": TEXT | {"description": "A zip: open its index.html, and run its verify.py."},
    "custody.approve-evidence": fields({"approval": TEXT})
    | {"description": "Good once, for a quarter of an hour, for whoever it names as taker."},
    "custody.erase-person": fields({"repeated": TRUE, "position": maybe(NUMBER), "recorded_at": maybe(MOMENT)})
    | {"description": "They are erased; where that is said on the log, null where another command had said it before."},
    "custody.approve-erasure": fields({"approval": TEXT})
    | {"description": "An approval, for the custodian to send along; good for a quarter of an hour."},
}


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
