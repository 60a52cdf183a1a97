"""What custodians and their approvers ask for."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import ANYTHING, MOMENT, NUMBER, TEXT, TRUE, Json, fields, maybe

ANSWERS: Mapping[str, Json] = {
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
