"""The log: its checkpoints and proofs, where a position is, and what rested on an event."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import ANYTHING, ID, MOMENT, NUMBER, TEXT, TRUE, Json, fields, many, maybe

HASH = TEXT | {"description": "32 bytes in base64: SHA-256."}

PROOF = {
    "hashes": many(HASH),
    "checkpoint": maybe(TEXT) | {"description": "That of exactly this size, where one was signed."},
}

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

SPEAKS = fields({"up_to_position": NUMBER, "complete": TRUE, "because": many(TEXT)})

ANSWERS: Mapping[str, Json] = {
    "log_checkpoint": TEXT | {"description": "A signed note of C2SP: tlog-checkpoint."},
    "inclusion_proof": fields(
        {"position": NUMBER, "index": NUMBER, "size": NUMBER, "leaf": HASH, "root": HASH} | PROOF
    ),
    "consistency_proof": fields({"from": NUMBER, "to": NUMBER, "from_root": HASH, "to_root": HASH} | PROOF),
    "log_keys": TEXT | {"description": "Verifier keys of C2SP signed-note, one a line, the oldest first."},
    "log_tile": TEXT | {"description": "A tile of C2SP tlog-tiles: its width times 32 bytes."},
    "log_entry_bundle": TEXT | {"description": "An entry bundle of C2SP tlog-tiles."},
    "log_entry": TEXT | {"description": "A CloudEvent, byte for byte as it is on Kafka."},
    "position": fields(
        {
            "position": NUMBER,
            "recorded": TRUE,
            "published": TRUE,
            "projected": ANYTHING | {"additionalProperties": TRUE},
        }
    ),
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
}
