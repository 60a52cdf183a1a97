"""Problems as the description of the API tells them: their shape, an example of each, and the answers that say no."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

from events.refusals import NotNow, Problem
from services.api import problems
from services.api.body import MOST_BYTES
from services.api.examples import (
    ALERT_ID,
    CASE_ID,
    GIHANGA,
    LATER,
    MPANDA,
    OTHER_CASE_ID,
    POLICE,
    REPORT_ID,
    SILENCE_ID,
    SUBSCRIBER_ID,
)
from services.api.problems import Kind, Told

Json = dict[str, Any]

DETAILS: Mapping[str, object] = {
    "alert_id": ALERT_ID,
    "asked": 1, "at": 1234, "channel": "sms", "counted_in": OTHER_CASE_ID, "count": 2, "current": 2,
    "election": "bi-2027-presidential", "field": "text", "fields": "text", "in_favour": 1, "into": OTHER_CASE_ID,
    "latest": ALERT_ID,
    "its_mode": "actual",
    "key": f"case/{CASE_ID}", "kinds": "injured", "last": "2026-06-02T10:00:00+00:00", "mode": "exercise",
    "name": "burundi", "next": 2, "on": "2025-06-05", "position": 1234, "projection": "alert_level",
    "purpose": "protection", "reached": "accepted", "received_again_as": REPORT_ID, "recipient": POLICE,
    "report_id": REPORT_ID, "required": 2, "role": "analyst", "round": 1, "severity": "extreme",
    "stream": f"case/{CASE_ID}", "silence_id": SILENCE_ID, "subscriber": SUBSCRIBER_ID,
    "type": "report.received", "unit": MPANDA, "units": MPANDA, "until": "2026-06-02 10:00:00 UTC",
    "valid_until": LATER,
}  # fmt: skip
"""What stands in the places of a refusal's sentence, in its example."""

SAID: Mapping[int, str] = {
    1001: "One field has a value that cannot be; nothing was written.",
    1002: "The body is not JSON: line 1, column 12; correct it and send it again.",
    1003: f"The body may have at most {MOST_BYTES} bytes: shorten it or split it.",
    1004: "Send an id of your own making in the header Idempotency-Key or as client_id, and the same one if you send "
    "this again: so nothing is written twice.",
    1005: "wait: expected published or projected; choose one or leave it out.",
    1006: "cursor: expected one that this list gave; begin again without it.",
    1007: "Nothing is at this address: see /openapi.json.",
    1008: "This address does not take that method: see /openapi.json.",
    1009: "If-Match: expected one ETag as it was given with the record; copy it.",
    1010: "Send the body as JSON, under Content-Type: application/json.",
    1011: "One field has a value that cannot be; nothing was written.",
    1013: "There is no recipient of this id in the register: see /v1/recipients.",
    1014: "One field has a value that cannot be; nothing was written.",
    1015: "There is no alert of this id: see /v1/alerts.",
    1016: "There is no such event in your area that could be traced.",
    1017: "More than 20,000 events would have to be read. Have it asked where the network's stack runs: "
    "`intabaza trace EVENT --most NUMBER` may read more.",
    1018: "There is no such silence in your area, or not yet: see /v1/silences.",
    2001: "Send a token in the header Authorization, as: Bearer <token>.",
    2002: "The role analyst may not do report.receive: ask somebody whose work it is.",
    3706: "'witness.example.org/w1' has cosigned no checkpoint of this log.",
    4009: "review_queue is being folded up to position 1234 and has come to about 600: ask again soon.",
    4010: "The log has no checkpoint yet: the notary signs the first one within a minute.",
    4011: "Position 1234 lies outside of what was signed: the last checkpoint covers 1 to 1000.",
    4012: "Position 2 has 183402 bytes, and an entry of a bundle at most 65535.",
    4013: "The tree has fewer leaves than were signed: the notary builds it anew.",
    4014: "The tree does not lead from position 1234 to the root of 2000 leaves.",
    4016: "More than 5,000 events would have to be read. Have it taken where the network's stack runs: "
    "`intabaza evidence CASE FILE`, where --most lets more be in it.",
    4017: "Writing it took more than 54 seconds. Have it taken where the network's stack runs: "
    "`intabaza evidence CASE FILE`.",
    4018: "The pack could not be written (OSError).",
    4019: "The public keys of the log cannot be read here.",
    4020: "Position 1234 records as a checkpoint what is none, or states another one: it was altered, and nothing more "
    "is signed. `intabaza audit verify` names the first position that is not what it was; `intabaza ledger restore` "
    "completes a ledger that lost events. Then `intabaza restart notary`.",
    2004: "More than 100 requests a second: this one did nothing; come again in 1 s.",
}
"""What the door itself says, by number."""

FIELDS: Mapping[int, Problem] = {
    1001: Problem(field="occurred.from", expected="a day of the calendar", mend="correct it"),
    1011: Problem(
        field="place_name",
        expected="the name of one place: several places bear this name",
        mend="choose one of `candidates` and send its id as `unit`",
    ),
    1014: Problem(
        field="place_name",
        expected="a name that the gazetteer in force knows",
        mend="choose one of `candidates` and send its id as `unit`",
    ),
}

CANDIDATE = {
    "unit": GIHANGA,
    "unit_name": "Gihanga",
    "kind": "commune",
    "inside": ["Bubanza", "Burundi"],
    "in_force": True,
}

PROBLEM: Json = {
    "type": "object",
    "description": "Why not (RFC 9457). `type` is the address of the entry in the catalogue, `number` its number.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "number": {"type": "integer"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}},
        "candidates": {"type": "array", "items": {"$ref": "#/components/schemas/PlaceCandidate"}},
    },
    "required": ["type", "title", "status", "detail", "number"],
}

FIELD_PROBLEM: Json = {
    "type": "object",
    "description": "What is wrong with one field, a dotted path: what was expected, and what to do.",
    "properties": {name: {"type": "string"} for name in ("field", "expected", "mend")},
    "required": ["field", "expected", "mend"],
}

PLACE_CANDIDATE: Json = {
    "type": "object",
    "description": "A place that a name may mean; `inside` are the names of those around it, nearest first.",
    "properties": {
        "unit": {"type": "string"},
        "unit_name": {"type": "string"},
        "kind": {"type": "string"},
        "inside": {"type": "array", "items": {"type": "string"}},
        "in_force": {"type": "boolean"},
    },
    "required": ["unit", "unit_name", "kind", "inside", "in_force"],
}


def problem_example(kind: Kind) -> Json:
    """How a problem of the catalogue reads, with a made-up occasion."""
    refusals = [one for one, of in problems.REFUSALS.items() if of is kind]
    if kind.number in SAID:
        told = Told(kind, SAID[kind.number], [FIELDS[kind.number]] if kind.number in FIELDS else ())
    elif refusals and issubclass(refusals[0], NotNow):
        names = {name for _, name, _, _ in Formatter().parse(refusals[0].sentence) if name}
        told = Told.of(refusals[0](**{name: DETAILS[name] for name in names}))
    else:
        said = kind.mend or kind.title
        told = Told(kind, f"{said[:1].upper()}{said[1:]}.")
    document = told.document()
    if kind in (problems.AMBIGUOUS_PLACE, problems.UNKNOWN_PLACE):
        document["candidates"] = [CANDIDATE]
    return document


def refusals(kinds: Iterable[Kind]) -> dict[str, Json]:
    """The answers that say no, by status, each naming its numbers and showing each."""
    by_status: dict[int, list[Kind]] = defaultdict(list)
    for kind in sorted(kinds, key=lambda kind: kind.number):
        by_status[kind.status].append(kind)
    return {str(status): {"$ref": REFUSED + _name(by_status[status])} for status in sorted(by_status)}


REFUSED = "#/components/responses/"


def _name(kinds: Iterable[Kind]) -> str:
    """What an answer that says no for these reasons is called, in every operation that has it."""
    return "-".join(str(kind.number) for kind in kinds)


def refused_as(kinds: Sequence[Kind]) -> Json:
    numbers = [kind.number for kind in kinds]
    schema = {"$ref": "#/components/schemas/Problem", "properties": {"number": {"enum": numbers}}}
    answer: Json = {
        "description": "; ".join(f"{kind.number}: {kind.title}" for kind in kinds) + ".",
        "content": {
            problems.MEDIA_TYPE: {
                "schema": schema,
                "examples": {str(number): {"$ref": f"#/components/examples/{number}"} for number in numbers},
            }
        },
    }
    if kinds[0].status in (429, 503):
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    if kinds[0].status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer
