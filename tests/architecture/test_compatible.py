"""A description that was released is kept: what breaks whoever built on it is told, what they do not notice is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.contracts import publish
from services.contracts.compatible import broken_by_asyncapi, broken_by_openapi
from services.contracts.publish import KEPT, ContractBroken, faults, release, write

generated = cache(publish.generated)

Change = Callable[[dict[str, Any]], object]


def described(path: str = "openapi.json") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(generated()[path])
    return document


def operation(document: dict[str, Any], address: str = "/v1/cases", method: str = "post") -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][address][method]
    return found


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def parameter(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in operation(document)["parameters"] if one["name"] == name)
    return found


BREAKING: dict[str, Change] = {
    "GET /v1/levels is gone": lambda new: new["paths"].pop("/v1/levels"),
    "parameter wait is gone": lambda new: operation(new)["parameters"].remove(parameter(new, "wait")),
    "parameter wait must be sent now": lambda new: parameter(new, "wait").update(required=True),
    "parameter why must be sent now": lambda new: operation(new)["parameters"].append(
        {"in": "query", "name": "why", "required": True, "schema": {"type": "string"}}
    ),
    "wait no longer takes projected": lambda new: parameter(new, "wait")["schema"].update(enum=["published"]),
    "wait_seconds has a lower maximum": lambda new: parameter(new, "wait_seconds")["schema"].update(maximum=5),
    "body.threat_to_life must be sent now": lambda new: schema(new, "case.open-case")["required"].append(
        "threat_to_life"
    ),
    "body.summary is gone": lambda new: schema(new, "case.open-case")["properties"].pop("summary"),
    "body.summary has another type": lambda new: schema(new, "case.open-case")["properties"].update(
        summary={"type": "integer"}
    ),
    "body.position may be missing now": lambda new: schema(new, "Accepted")["required"].remove("position"),
    "body.repeated is gone": lambda new: schema(new, "Accepted")["properties"].pop("repeated"),
    "body.position has another type": lambda new: schema(new, "Accepted")["properties"].update(
        position={"type": "string"}
    ),
    "never answered with 202": lambda new: operation(new)["responses"].pop("202"),
    "text/event-stream is gone": lambda new: operation(new, "/v1/alerts/stream", "get")["responses"]["200"].update(
        content={}
    ),
}

HARMLESS: dict[str, Change] = {
    "an address more": lambda new: new["paths"].update({"/v1/more": {"post": operation(new)}}),
    "a parameter more": lambda new: operation(new)["parameters"].append(
        {"in": "query", "name": "why", "schema": {"type": "string"}}
    ),
    "a field more that may be sent": lambda new: schema(new, "case.open-case")["properties"].update(why={}),
    "a field more that is answered": lambda new: schema(new, "Accepted")["properties"].update(why={}),
    "what need not be sent any more": lambda new: schema(new, "case.open-case")["required"].remove("summary"),
    "a word more": lambda new: parameter(new, "wait")["schema"]["enum"].append("archived"),
    "other words about it": lambda new: operation(new).update(summary="Otherwise said."),
}


@pytest.mark.parametrize("sentence", BREAKING)
def test_what_breaks_somebody_is_told(sentence: str) -> None:
    new = deepcopy(described())
    BREAKING[sentence](new)
    said = list(broken_by_openapi(described(), new))
    assert said
    assert any(sentence in one for one in said), said


@pytest.mark.parametrize("change", HARMLESS)
def test_what_nobody_notices_is_not(change: str) -> None:
    new = deepcopy(described())
    HARMLESS[change](new)
    assert new != described()
    assert list(broken_by_openapi(described(), new)) == []


def test_a_topic_and_its_messages_stay() -> None:
    earlier = described("asyncapi.json")
    assert list(broken_by_asyncapi(earlier, deepcopy(earlier))) == []
    name, channel = next((name, one) for name, one in earlier["channels"].items() if one["messages"])
    changes: list[tuple[Change, str]] = [
        (lambda new: new["channels"].pop(name), f"the topic {name} is gone"),
        (lambda new: new["channels"][name].update(address="elsewhere"), "another address"),
        (lambda new: new["channels"][name]["messages"].pop(next(iter(channel["messages"]))), "is gone"),
    ]
    for change, sentence in changes:
        new = deepcopy(earlier)
        change(new)
        (said,) = broken_by_asyncapi(earlier, new)
        assert sentence in said


def test_a_release_keeps_the_tables_as_they_stand_and_later_ones_must_keep_them(tmp_path: Path) -> None:
    write(tmp_path, generated())
    assert {f"{KEPT}1.openapi.json", f"{KEPT}1.asyncapi.json"} <= set(release(tmp_path, generated()))
    assert list(faults(tmp_path, generated())) == []
    new = described()
    BREAKING["GET /v1/levels is gone"](new)
    files = {**generated(), "openapi.json": json.dumps(new).encode()}
    with pytest.raises(ContractBroken, match=r"released as 1\.openapi\.json: GET /v1/levels is gone"):
        write(tmp_path, files)
    assert any("GET /v1/levels is gone" in fault for fault in faults(tmp_path, files))
    more = described()
    HARMLESS["an address more"](more)
    files = {**generated(), "openapi.json": json.dumps(more).encode()}
    assert write(tmp_path, files) == ["openapi.json"]
    assert f"{KEPT}2.openapi.json" in release(tmp_path, files)
    with pytest.raises(ContractBroken, match=r"2\.openapi\.json: .* /v1/more is gone"):
        write(tmp_path, generated())


def test_what_was_kept_of_a_release_is_never_changed(tmp_path: Path) -> None:
    write(tmp_path, generated())
    release(tmp_path, generated())
    (tmp_path / KEPT / "1.openapi.json").write_bytes(b"{}")
    assert any("put it back as it was" in fault for fault in faults(tmp_path, generated()))
