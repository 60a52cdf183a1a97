"""What strangers are shown of alerts.v1, case by case: each example is what its name says, and they make one story."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

import schemas
from services.bulletins.cap import cap, message_type
from services.bulletins.told import Told, told
from services.ledger.ledger import Recorded
from tests.support.bulletins import ISSUER, read_cap, said

FOLDER = Path(schemas.__file__).parent / "events" / "alert.issued"
CASES = {file.name.split(".")[1]: orjson.loads(file.read_bytes()) for file in sorted(FOLDER.glob("1.*.json"))}
CASES.pop("schema", None)


async def in_cap(event: dict[str, Any]) -> Told:
    own = {name: value for name, value in event.items() if name not in ("sequence", "time")}
    row = Recorded(
        int(event["sequence"]), event["subject"], event["streamversion"], UUID(event["id"]), event["type"],
        event["partitionkey"], datetime.fromisoformat(event["time"]), UUID(event["commandid"]), b"", orjson.dumps(own),
    )  # fmt: skip

    async def from_level(_: str) -> int:
        return 3

    return await told(row, 0, from_level)


def test_every_way_in_which_an_alert_may_be_told_has_an_example() -> None:
    assert {"raised", "lowered", "corrected", "cancelled", "exercise"} <= CASES.keys()
    for name in ("raised", "lowered", "corrected", "cancelled"):
        assert (CASES[name]["data"]["change"], CASES[name]["mode"]) == (name, "actual")
    assert CASES["exercise"]["mode"] == "exercise"


def test_what_takes_a_place_names_the_alert_that_has_it() -> None:
    known = {event["id"] for event in CASES.values()}
    for name, names in (("lowered", "updates"), ("corrected", "updates"), ("cancelled", "cancels")):
        assert CASES[name]["data"][names] in known, name
    assert not CASES["raised"]["data"].keys() & {"updates", "cancels"}
    assert "updates" not in CASES["cancelled"]["data"]


@pytest.mark.parametrize(
    ("case", "status", "kind"),
    [
        ("raised", "Actual", "Alert"),
        ("lowered", "Actual", "Update"),
        ("corrected", "Actual", "Update"),
        ("cancelled", "Actual", "Cancel"),
        ("exercise", "Exercise", "Alert"),
    ],
)
async def test_each_is_the_cap_message_that_its_name_says(case: str, status: str, kind: str) -> None:
    alert = await in_cap(CASES[case])
    assert message_type(alert) == kind
    document = read_cap(cap(alert, [], ISSUER))
    assert (said(document, "status"), said(document, "msgType")) == ([status], [kind])
    assert said(document, "identifier") == [CASES[case]["id"]]
