"""What may be on a topic twice or be strange there, and what may not: logs of one partition, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from kafka import TopicPartition
from kafka.record.memory_records import MemoryRecords

from tests.faults.checker import topics
from tests.faults.checker.consuming import notes_batches
from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Fault, Past, Put
from tests.faults.checker.ledger import Row
from tests.faults.checker.records import ALERTS, CONTENT_TYPE, EVENTS, Record
from tests.support.odd_records import TOLD, batch_of

HEAD = 8
OLD, NEW = 10, 11
"""Two producers, by the numbers that the broker gave them."""


def row(position: int) -> Row:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    return Row(position, "s", position, f"{position}", "report.received", "h", at, "c", b"", b"{}", {})


def batch(sender: int, *positions: int) -> list[Record]:
    """Records that were sent together; each follows the position in front of it."""
    return [
        Record(
            [
                ("content-type", CONTENT_TYPE),
                ("position", b"%d" % position),
                ("previous", b"%d" % (position - 1)),
            ],
            row(position).bytes_on_the_wire,
            0,
            sender,
            0,
        )
        for position in positions
    ]


def found(batches: Sequence[list[Record]], *faults: Fault) -> dict[str, int]:
    """What is found in a partition into which these batches came, of a ledger of HEAD events."""
    log: list[Record] = []
    for some in batches:
        begins = len(log)
        for one in some:
            one.offset, one.batch = len(log), begins
            log.append(one)
    told = Findings()
    past = Past(faults=list(faults))
    topics.judge({EVENTS: {0: log}, ALERTS: {0: []}}, [row(at) for at in range(1, HEAD + 1)], past, told)
    return told.counts


WOKEN = [batch(OLD, 1, 2), batch(NEW, 3, 4), batch(NEW, 5), batch(OLD, 3, 4), batch(12, 6, 7, 8)]
"""A relay was frozen with 3 and 4 on its way; another one sent them, then it woke."""


def test_what_a_woken_relay_had_on_its_way_may_be_there_again() -> None:
    assert found(WOKEN, Fault("freeze_leading-relay", 2, 6)) == {}


def test_a_batch_that_came_while_another_relay_looked_may_be_there_again() -> None:
    """The new one's first batch then went elsewhere than was due, and it sent no more."""
    assert found([batch(OLD, 1, 2), batch(OLD, 3, 4), batch(NEW, 3, 4, 5), batch(12, 6, 7, 8)], Fault("f", 2, 6)) == {}


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("kill_api", 4, 6), "what is repeated had been acknowledged before it struck"),
        (Fault("kill_leading-relay", 2, 4), "the repeat came when all was well again"),
    ],
)
def test_another_moments_fault_excuses_nothing(fault: Fault, why: str) -> None:
    assert found(WOKEN, fault) == {"repeated_without_cause": 2}, why


def test_no_fault_excuses_nothing() -> None:
    assert found(WOKEN) == {"repeated_without_cause": 2}


def test_a_fault_whose_end_the_history_does_not_have_is_not_over() -> None:
    assert found(WOKEN, Fault("freeze_leading-relay", 2)) == {}


def test_a_relay_that_goes_on_after_a_repeat_did_not_look_where_it_stands() -> None:
    log = [batch(OLD, 1, 2, 3, 4), batch(NEW, 3, 4, 5), batch(NEW, 6, 7, 8)]
    assert found(log, Fault("kill_leading-relay", 2, 8)) == {"repeated_without_cause": 2}


def test_one_producer_repeats_nothing() -> None:
    log = [batch(OLD, 1, 2, 3), batch(OLD, 3), batch(NEW, 4, 5, 6, 7, 8)]
    assert found(log, Fault("freeze_leading-relay", 2, 8)) == {"repeated_without_cause": 1}


def test_a_strike_answers_for_each_repeat_that_it_put_there_and_for_no_other() -> None:
    log = [batch(OLD, 1, 2, 3), batch(-1, 2), batch(-1, 3), batch(-1, 2), batch(NEW, 4, 5, 6, 7, 8)]
    put = [Put(EVENTS, 0, 2), Put(EVENTS, 0, 3)]
    assert found(log, Fault("repeat_records", 3, 4, put)) == {"repeated_without_cause": 1}
    assert found(log, Fault("repeat_records", 3, 4, [*put, Put(EVENTS, 0, 2)])) == {}
    assert found(log, Fault("repeat_records", 3, 4, [*put, Put(EVENTS, 1, 2)])) == {"repeated_without_cause": 1}


def test_a_position_that_comes_after_higher_ones_for_the_first_time_is_no_repeat() -> None:
    log = [batch(OLD, 1, 2, 3), batch(OLD, 5), batch(OLD, 4), batch(OLD, 6, 7, 8)]
    assert found(log, Fault("freeze_leading-relay", 0, 8)) == {
        "chain_broken": 1,
        "out_of_turn": 1,
        "partition_misses": 1,
    }


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", CONTENT_TYPE), ("position", b"four"), ("previous", b"2")],
        [("content-type", CONTENT_TYPE), ("position", "٤".encode()), ("previous", b"2")],
        [("content-type", CONTENT_TYPE), ("position", b"4"), ("previous", b"")],
        [("content-type", CONTENT_TYPE), ("position", b"04"), ("previous", b"3")],
        [("content-type", CONTENT_TYPE), ("position", b"3"), ("previous", b"3")],
        [("content-type", b"text/plain"), ("position", b"4"), ("previous", b"3")],
        [("content-type", CONTENT_TYPE), ("position", b"4"), ("position", b"4")],
        [("content-type", CONTENT_TYPE), ("position", None), ("previous", b"3")],
    ],
)
def test_a_record_whose_headers_are_not_exactly_ours_is_foreign(headers: list[tuple[str, bytes]]) -> None:
    log = [batch(OLD, 1, 2, 3), [Record(headers, b"x", 0, -1, 0)], batch(NEW, 4, 5, 6, 7, 8)]
    assert found(log) == {"foreign_without_cause": 1}
    assert found(log, Fault("foreign_records", 3, 4, [Put(EVENTS, 0, None)])) == {}


def test_a_record_under_a_name_that_is_no_text_is_foreign_and_those_around_it_are_read() -> None:
    ours = [("content-type", CONTENT_TYPE), ("position", b"2"), ("previous", b"1")]
    strangers = [[(TOLD, b"x")], [ours[0], (TOLD, b"2"), ours[2]], [*ours, (TOLD, b"")]]
    content = batch_of([(b"home", row(2).bytes_on_the_wire, headers) for headers in [*strangers, ours]])
    fetched = notes_batches({})(0, TopicPartition(EVENTS, 0), MemoryRecords(content))
    told = [Record(list(one.headers), one.value, 0, OLD, 0) for one in fetched.take()]
    assert [one.link for one in told] == [None, None, None, (2, 1)]
    log = [batch(OLD, 1), told, batch(OLD, *range(3, HEAD + 1))]
    put = [Put(EVENTS, 0, None) for _ in strangers]
    assert found(log, Fault("records_foreign", 0, put=put)) == {}
    assert found(log, Fault("records_foreign", 0, put=put[1:])) == {"foreign_without_cause": 1}
