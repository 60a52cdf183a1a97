"""Every published example of every version: valid, read by strangers' library and by us, and the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from events.catalogue import EVENTS, read
from events.envelope import canonical, splice
from tests.contract.wire.published import EXAMPLE_FILES, SCHEMA_FILES, drafted_again, is_newest, named, schema_for

every_example = pytest.mark.parametrize("path", EXAMPLE_FILES, ids=named)


def test_there_is_an_example_and_a_schema_of_every_event_type() -> None:
    assert {path.parent.name for path in EXAMPLE_FILES} == set(EVENTS)
    assert {path.parent.name for path in SCHEMA_FILES} == set(EVENTS)


@pytest.mark.parametrize("path", SCHEMA_FILES, ids=named)
def test_a_schema_is_json_schema_2020_12_and_closes_nothing(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    text = path.read_text("utf-8")
    assert '"additionalProperties": false' not in text
    assert "null" not in text
    assert "Clear" not in text


@every_example
def test_an_example_is_valid_by_the_schema_beside_it(path: Path) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema_for(path), format_checker=checker).validate(json.loads(path.read_bytes()))


@every_example
def test_a_schema_takes_a_word_and_an_attribute_of_a_later_version(path: Path) -> None:
    event = json.loads(path.read_bytes())
    event |= {"mode": "rehearsal", "actorrole": "observer", "newattribute": "x"}
    event["data"]["brought_later"] = {"deep": [1]}
    jsonschema.Draft202012Validator(schema_for(path)).validate(event)


@every_example
@pytest.mark.parametrize("attribute", ["id", "sequence", "time", "subject", "partitionkey", "data", "dataschema"])
def test_a_schema_misses_an_attribute_that_is_not_there(path: Path, attribute: str) -> None:
    event = json.loads(path.read_bytes())
    del event[attribute]
    with pytest.raises(jsonschema.ValidationError, match=attribute):
        jsonschema.Draft202012Validator(schema_for(path)).validate(event)


def test_a_schema_refuses_a_text_in_clear_where_a_sealed_one_belongs() -> None:
    path = next(path for path in EXAMPLE_FILES if named(path) == "report.received/1.at_a_form.json")
    event = json.loads(path.read_bytes())
    for plain in ("what was seen", {"text": "what was seen", "under": {}}):
        event["data"]["text"] = plain
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema_for(path)).validate(event)


@every_example
def test_the_cloudevents_library_reads_an_example_as_a_kafka_record(path: Path) -> None:
    wire = path.read_bytes()
    attributes = json.loads(wire)
    headers = {"content-type": b"application/cloudevents+json", "position": b"2", "previous": b"1"}
    event = from_kafka_event(KafkaMessage(headers=headers, key=attributes["partitionkey"].encode(), value=wire))
    assert event.get_data() == attributes.pop("data")
    assert event.get_id() == attributes["id"]
    assert event.get_type() == path.parent.name
    assert event.get_source() == attributes["source"]
    assert event.get_subject() == attributes["subject"]
    assert event.get_dataschema() == attributes["dataschema"]
    moment = event.get_time()
    assert moment is not None
    assert moment.isoformat(timespec="microseconds").replace("+00:00", "Z") == attributes["time"]
    for name in ("sequence", "streamversion", "partitionkey", "commandid", "commandmac", "actorrole", "mode"):
        assert event.get_extension(name) == attributes[name]


@pytest.mark.parametrize("path", [path for path in EXAMPLE_FILES if is_newest(path)], ids=named)
def test_an_example_of_the_newest_version_read_and_drafted_again_is_the_same_bytes(path: Path) -> None:
    wire = path.read_bytes()
    event = read(wire)
    assert splice(drafted_again(event).body(), event.position, event.recorded_at) == wire


@every_example
def test_an_example_is_canonical_but_for_the_two_attributes_in_front(path: Path) -> None:
    wire = path.read_bytes()
    attributes = orjson.loads(wire)
    assert list(attributes)[:2] == ["sequence", "time"]
    rest = {name: value for name, value in attributes.items() if name not in ("sequence", "time")}
    assert wire.endswith(canonical(rest)[1:])


@every_example
def test_an_example_of_any_version_reads_as_the_newest(path: Path) -> None:
    event = read(path.read_bytes())
    assert type(event.data) is EVENTS[path.parent.name]
    assert path.name.partition(".")[0] == event.dataschema.rpartition(":")[2]
    assert event.subject.partition("/")[2]
