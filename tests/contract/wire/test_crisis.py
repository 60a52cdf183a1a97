"""The long history that benchmarks fold is made of events that a stranger would accept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import groupby

import jsonschema

from events.catalogue import EVENTS, read
from events.envelope import splice
from services.log.partition import partition_of
from tests.contract.wire.published import FOLDER, drafted_again
from tests.support.crisis import LIFE, Written, crisis


@cache
def history() -> tuple[Written, ...]:
    return tuple(crisis(2_500, living=30, reference=True))


def test_every_event_of_a_crisis_is_valid_by_its_schema() -> None:
    by_type = {event.type: event for event in history()}
    assert by_type.keys() >= {name for _, name in LIFE}
    for name, event in by_type.items():
        schema = json.loads((FOLDER / name / f"{EVENTS[name].schema_version}.schema.json").read_bytes())
        jsonschema.Draft202012Validator(schema).validate(json.loads(event.wire()))


def test_every_event_of_a_crisis_reads_back_to_the_same_bytes() -> None:
    for event in history():
        again = read(event.wire())
        assert splice(drafted_again(again).body(), again.position, again.recorded_at) == event.wire()


def test_positions_of_a_crisis_are_gapless_and_each_stream_counts_from_one() -> None:
    assert [event.position for event in history()] == list(range(1, 2_501))
    by_stream = sorted(history(), key=lambda event: (event.stream, event.position))
    for _, events in groupby(by_stream, key=lambda event: event.stream):
        versions = [event.version for event in events]
        assert versions == list(range(1, len(versions) + 1))


def test_two_writers_of_different_homes_write_one_crisis_together() -> None:
    def half(own: int) -> Iterator[Written]:
        return crisis(2_500, living=30, wanted=lambda home: partition_of(home, 2) == own, reference=True)

    together = {event.position: event for own in (0, 1) for event in half(own)}
    assert tuple(together[position] for position in sorted(together)) == history()
