"""Rows become records: each partition's chain continues, broadcasts go everywhere, alerts also to strangers."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition

from events.vocabulary import EVERY_HOME
from services.ledger.ledger import Recorded
from services.local.topics import ALERTS, BATCH_LIMIT_BYTES, EVENTS
from services.log.partition import partition_of
from services.relay import chain
from services.relay.chain import Batch, Chains, Place

PARTITIONS = 3
EVERY = [TopicPartition(topic, number) for topic in (EVENTS, ALERTS) for number in range(PARTITIONS)]


def row(position: int, home: str, event_type: str = "test.noted", size: int = 20) -> Recorded:
    body = b'{"a":"' + b"x" * size + b'"}'
    at = datetime(2027, 1, 1, tzinfo=UTC)
    return Recorded(position, "test/1", position, uuid4(), event_type, home, at, uuid4(), b"m", body)


def chains_from(last: int = 0) -> Chains:
    return Chains(PARTITIONS, {at: Place(last) for at in EVERY})


def links(batches: list[Batch]) -> dict[TopicPartition, list[tuple[int, int]]]:
    found: dict[TopicPartition, list[tuple[int, int]]] = defaultdict(list)
    for batch in batches:
        for record in batch.records:
            stated = dict(record.headers)
            found[record.at].append((int(stated["position"]), int(stated["previous"])))
    return found


homes = st.sampled_from([EVERY_HOME, "bi:home:1", "bi:home:2", "bi:home:3", "bi:home:4"])
kinds = st.sampled_from(["test.noted", "alert.issued"])


@given(st.lists(st.tuples(homes, kinds, st.sampled_from([20, 60_000, 890_000])), max_size=40))
def test_every_chain_continues_and_no_batch_passes_its_bounds(wanted: list[tuple[str, str, int]]) -> None:
    rows = [row(position, *one) for position, one in enumerate(wanted, 1)]
    batches = list(chains_from().batches(rows, 0))
    found = links(batches)
    for at in EVERY:
        due = [
            one.position
            for one in rows
            if (at.topic == EVENTS and (one.home == EVERY_HOME or partition_of(one.home, PARTITIONS) == at.partition))
            or (
                at.topic == ALERTS
                and one.type == "alert.issued"
                and one.home != EVERY_HOME
                and partition_of(one.home, PARTITIONS) == at.partition
            )
        ]
        assert found[at] == list(zip(due, [0, *due], strict=False))
    assert batches[-1].through == len(rows)
    for batch in batches:
        sizes: dict[TopicPartition, int] = defaultdict(int)
        for record in batch.records:
            sizes[record.at] += len(record.value) + len(record.key) + sum(len(n) + len(v) for n, v in record.headers)
        assert max(sizes.values(), default=0) <= BATCH_LIMIT_BYTES - 61
        assert batch.events <= chain.BATCH_EVENTS
        assert sum(sizes.values()) <= max(chain.BATCH_BYTES, PARTITIONS * BATCH_LIMIT_BYTES)


def test_what_a_partition_has_is_not_sent_to_it_again() -> None:
    places = {at: Place() for at in EVERY} | {TopicPartition(EVENTS, 1): Place(3)}
    batches = list(Chains(PARTITIONS, places).batches([row(number, EVERY_HOME) for number in (2, 3, 4)], 1))
    found = links(batches)
    assert found[TopicPartition(EVENTS, 1)] == [(4, 3)]
    assert found[TopicPartition(EVENTS, 0)] == [(2, 0), (3, 2), (4, 3)]


def test_a_second_reading_continues_what_was_planned_before() -> None:
    chains = chains_from()
    first, second = chains.batches([row(1, EVERY_HOME)], 0), chains.batches([row(2, EVERY_HOME)], 1)
    assert links([*first, *second])[TopicPartition(EVENTS, 2)] == [(1, 0), (2, 1)]


def test_nothing_to_send_is_an_empty_batch_that_goes_as_far_as_before() -> None:
    [batch] = chains_from().batches([], 12)
    assert (batch.records, batch.through) == ([], 12)
