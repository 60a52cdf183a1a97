"""The AsyncAPI document: AsyncAPI's own parser takes it, and every example keeps it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema.protocols import Validator

from events.catalogue import EVENTS
from services.contracts.publish import FOLDER
from services.log.record import Link
from tests.contract.wire.published import EXAMPLE_FILES, SCHEMA_FILES, named
from tests.support.node import installed, node

DOCUMENT = FOLDER / "asyncapi.json"


@pytest.fixture(scope="module")
def document() -> Mapping[str, Any]:
    whole: Mapping[str, Any] = resolved(json.loads(DOCUMENT.read_bytes()), DOCUMENT.parent)
    return whole


def resolved(node: Any, folder: Path, root: Any = None) -> Any:
    """A document with what it refers to in its place; files stay as they are, schemas refer within themselves."""
    root = node if root is None else root
    match node:
        case {"$ref": str(where)} if where.startswith("./"):
            return json.loads((folder / where).read_bytes())
        case {"$ref": str(where)}:
            found = root
            for step in where.removeprefix("#/").split("/"):
                found = found[step]
            return resolved(found, folder, root)
        case dict():
            return {name: resolved(part, folder, root) for name, part in node.items()}
        case list():
            return [resolved(part, folder, root) for part in node]
        case _:
            return node


def test_the_parser_of_asyncapi_finds_no_fault_in_it_and_every_message(tmp_path: Path) -> None:
    """And it finds the faults of other documents, so it does look."""
    whole, *faulty = parsed(DOCUMENT, *with_a_fault(tmp_path))
    assert whole["faults"] == []
    channels = {channel["address"]: channel["messages"] for channel in whole["channels"]}
    assert channels.keys() == {"alerts.v1", "events.v1"}
    assert {message["title"] for message in channels["events.v1"]} == {
        f"{path.parent.name} {path.name.partition('.')[0]}" for path in SCHEMA_FILES
    }
    assert {message["title"] for message in channels["alerts.v1"]} == {"alert.issued 1"}
    for message in channels["events.v1"]:
        assert message["contentType"] == "application/cloudevents+json"
        assert message["headers"] == ["content-type", "position", "previous"]
        assert message["key"] == "string"
        assert set(message["examples"]) == {message["title"].split()[0]}
    assert sum(len(message["examples"]) for message in channels["events.v1"]) == len(EXAMPLE_FILES)
    assert len(faulty) == len(FAULTS)
    assert all(each["faults"] for each in faulty)


FAULTS = {
    "channels/events/messages/report.received.1/$ref": "#/components/messages/report.imagined.1",
    "components/messages/report.received.1/payload/$ref": "./events/report.received/9.schema.json",
    "components/schemas/headers/type": "objekt",
    "operations/sendAlerts/action": "shout",
}


def with_a_fault(folder: Path) -> Iterator[Path]:
    """The document, each time with one fault."""
    (folder / "events").symlink_to(FOLDER / "events")
    for number, (path, wrong) in enumerate(FAULTS.items()):
        faulty = json.loads(DOCUMENT.read_bytes())
        *steps, last = path.split("/")
        place = faulty
        for step in steps:
            place = place[step]
        place[last] = wrong
        file = folder / f"faulty{number}.json"
        file.write_text(json.dumps(faulty))
        yield file


def parsed(*files: Path) -> list[Any]:
    home = installed(Path(__file__).parent)
    done = subprocess.run([node(), home / "parse.mjs", *files], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def applied(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message with its traits, as the specification merges them: what a message says itself wins."""
    whole: dict[str, Any] = {}
    for part in (*message["traits"], message):
        whole |= part
    return whole


def messages_of(document: Mapping[str, Any], example: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The channels' messages that an example's file stands for."""
    wanted = f"{example.parent.name} {example.name.partition('.')[0]}"
    for name, channel in document["channels"].items():
        for message in channel["messages"].values():
            if message["title"] == wanted:
                yield name, applied(message)


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=named)
def test_an_example_keeps_the_document(document: Mapping[str, Any], path: Path) -> None:
    """Value, key and headers, and by both dialects: AsyncAPI's own, of draft 7, and the schema's."""
    value = path.read_bytes()
    event = json.loads(value)
    found = dict(messages_of(document, path))
    assert found.keys() == {"events"} | ({"alerts"} if event["type"] == "alert.issued" else set())
    headers = {name: text.decode("ascii") for name, text in Link(int(event["sequence"]), 0).headers()}
    for message in found.values():
        assert event in [example["payload"] for example in message["examples"]]
        dialect: type[Validator]
        for dialect in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
            checks = {"format_checker": dialect.FORMAT_CHECKER}
            dialect(message["payload"], **checks).validate(event)
            dialect(message["headers"], **checks).validate(headers)
            dialect(message["bindings"]["kafka"]["key"], **checks).validate(event["partitionkey"])
            for wrong in ({**event, "sequence": 1}, {**event, "type": "report.imagined"}, {}):
                assert not dialect(message["payload"]).is_valid(wrong)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json", "position": "2", "previous": "1"},
        {"content-type": "application/cloudevents+json", "position": "2"},
        {"content-type": "application/cloudevents+json", "position": "02", "previous": "1"},
        {"content-type": "application/cloudevents+json", "position": "2", "previous": "-1"},
        {"content-type": "application/cloudevents+json", "position": "0", "previous": "0"},
    ],
)
def test_headers_that_are_not_ours_do_not_keep_the_document(
    document: Mapping[str, Any], headers: Mapping[str, str]
) -> None:
    assert not jsonschema.Draft7Validator(document["components"]["schemas"]["headers"]).is_valid(headers)


def test_what_goes_everywhere_is_keyed_so_and_nothing_else_is(document: Mapping[str, Any]) -> None:
    for message in document["channels"]["events"]["messages"].values():
        key = jsonschema.Draft7Validator(applied(message)["bindings"]["kafka"]["key"])
        broadcast = EVENTS[message["name"]].broadcast
        assert (key.is_valid("*"), key.is_valid("bi:c2015:bubanza")) == (broadcast, not broadcast)


def test_a_schema_says_nothing_that_the_two_dialects_understand_differently() -> None:
    """Draft 7 knows these words as 2020-12 does; it would pass over what stands beside a `$ref`."""
    alike = {
        *("$schema", "$id", "$defs", "$ref", "title", "description", "type", "format", "pattern", "const", "enum"),
        *("anyOf", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "minLength"),
        *("maxLength", "minimum", "maximum"),
    }
    for path in SCHEMA_FILES:
        for schema in schemas_in(json.loads(path.read_bytes())):
            assert schema.keys() <= alike, path
            assert "$ref" not in schema or schema.keys() == {"$ref"}, path
            assert not isinstance(schema.get("items"), list), path


def schemas_in(schema: Any) -> Iterator[Mapping[str, Any]]:
    """A schema and every one inside it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for part in (schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ())):
        yield from schemas_in(part)
    for name in ("properties", "$defs"):
        for part in schema.get(name, {}).values():
            yield from schemas_in(part)
