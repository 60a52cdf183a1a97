"""The contract is not Python's: a consumer in JavaScript, to be copied, keeps the reading rule on a real broker."""

from __future__ import annotations

import json

import pytest

from services.contracts.publish import FOLDER
from services.local.kafka import KafkaServer
from services.log.record import CONTENT_TYPE, Headers, Link
from tests.support.strangers import Alerts, Consumer, told


def test_an_alert_is_one_line(alerts: Alerts) -> None:
    alerts.send(7, 0)
    alerts.send(9, 7, mode="exercise")
    cancelled = json.loads((FOLDER / "events" / "alert.issued" / "1.cancelled.json").read_bytes())
    alerts.send(12, 9, data=cancelled["data"])
    assert alerts.consumer().lines(3) == [
        "2026-05-20 Bubanza (bi:c2025:bubanza) raised: 1 watch to 3 alert, violence_and_weapons; "
        "alert 00000000-0000-0000-0000-000000000007",
        "[exercise] 2026-05-20 Bubanza (bi:c2025:bubanza) raised: 1 watch to 3 alert, violence_and_weapons; "
        "alert 00000000-0000-0000-0000-000000000009",
        "2026-05-20 Bubanza (bi:c2025:bubanza) cancelled: 3 alert to 1 watch, violence_and_weapons; "
        "alert 00000000-0000-0000-0000-00000000000c; withdraw aa32026b-a06d-8e0a-87ba-be45ec48fbf0",
    ]


def test_repeats_are_dropped(alerts: Alerts) -> None:
    for position, previous in ((1, 0), (4, 1), (1, 0), (4, 1), (4, 1), (6, 4), (4, 1), (6, 4), (9, 6)):
        alerts.send(position, previous)
    assert told(alerts.consumer().lines(4)) == [1, 4, 6, 9]


def test_each_partition_has_a_chain_of_its_own(alerts: Alerts) -> None:
    for position, previous, partition in ((1, 0, 0), (2, 0, 1), (3, 0, 2), (4, 2, 1), (5, 1, 0), (6, 4, 1)):
        alerts.send(position, previous, partition=partition)
    assert sorted(told(alerts.consumer().lines(6))) == [1, 2, 3, 4, 5, 6]


def test_positions_that_no_double_tells_apart_are_told_apart(alerts: Alerts) -> None:
    positions = [2**53, 2**53 + 1, 2**63 - 2, 2**63 - 1]
    for previous, position in zip([0, *positions], positions, strict=False):
        alerts.send(position, previous)
    assert told(alerts.consumer().lines(4)) == positions


FOREIGN: tuple[Headers, ...] = (
    [],
    [("position", b"2"), ("previous", b"1")],
    [("content-type", b"application/json"), ("position", b"2"), ("previous", b"1")],
    [CONTENT_TYPE, ("position", b"02"), ("previous", b"1")],
    [CONTENT_TYPE, ("position", b"two"), ("previous", b"1")],
    [CONTENT_TYPE, ("position", b"1"), ("previous", b"1")],
    [CONTENT_TYPE, ("position", b"\xff\xfe"), ("previous", b"1")],
    [*Link(2, 1).headers(), ("traceparent", b"00")],
    [*Link(2, 1).headers(), ("position", b"2")],
)


def test_a_record_that_is_not_ours_is_passed_over(alerts: Alerts) -> None:
    alerts.send(1, 0)
    for headers in FOREIGN:
        alerts.send_raw(b"\x00 poison", headers)
    alerts.send_raw(None, [])
    alerts.send(2, 1)
    consumer = alerts.consumer()
    assert told(consumer.lines(2)) == [1, 2]
    said = consumer.kill().splitlines()
    assert said == [f"Not ours, passed over: partition 0, offset {offset}." for offset in range(1, len(FOREIGN) + 2)]


@pytest.mark.parametrize("previous", [4, 8])
def test_it_stops_where_the_chain_breaks_and_stays_there(alerts: Alerts, previous: int) -> None:
    for position, before in ((4, 0), (6, 4), (9, previous), (10, 9)):
        alerts.send(position, before)
    status, lines, said = alerts.consumer().ends()
    assert (status, told(lines)) == (3, [4, 6])
    assert said.startswith(
        f"Stopped: in partition 0, offset 2, position 9 follows {previous}, and the last one taken is 6."
    )
    assert alerts.consumer().ends() == (3, [], said)


def test_a_partition_whose_first_record_is_missing_is_not_read(alerts: Alerts) -> None:
    alerts.send(6, 4)
    status, lines, said = alerts.consumer().ends()
    assert (status, lines) == (3, [])
    assert "position 6 follows 4, and the last one taken is 0" in said


def test_it_goes_on_where_it_was_killed(alerts: Alerts) -> None:
    alerts.send(1, 0)
    alerts.send(2, 0, partition=1)
    first = alerts.consumer()
    assert sorted(told(first.lines(2))) == [1, 2]
    alerts.send(3, 1)
    assert told(first.lines(1)) == [3]
    alerts.wait_until_kept({0: 3, 1: 2})
    first.kill()
    for position, previous in ((1, 0), (3, 1), (5, 3)):
        alerts.send(position, previous)
    assert told(alerts.consumer().lines(1)) == [5]


def test_what_was_told_and_not_kept_is_told_once_more(alerts: Alerts) -> None:
    """As after a power cut between the line and the file: the receiver drops it by its id, and none is lost."""
    alerts.send(1, 0)
    first = alerts.consumer()
    assert told(first.lines(1)) == [1]
    alerts.wait_until_kept({0: 1})
    before = alerts.positions.read_bytes()
    alerts.send(3, 1)
    assert told(first.lines(1)) == [3]
    alerts.wait_until_kept({0: 3})
    first.kill()
    alerts.positions.write_bytes(before)
    alerts.send(4, 3)
    assert told(alerts.consumer().lines(2)) == [3, 4]


def test_it_goes_on_in_a_topic_that_was_made_anew(alerts: Alerts) -> None:
    """Sent again without the repeats and foreign records of the old one, so at other offsets."""
    alerts.send_raw(b"", [])
    for position, previous in ((1, 0), (3, 1), (1, 0), (3, 1), (4, 3), (6, 4)):
        alerts.send(position, previous)
    alerts.send(2, 0, partition=1)
    first = alerts.consumer()
    assert sorted(told(first.lines(5))) == [1, 2, 3, 4, 6]
    alerts.wait_until_kept({0: 6, 1: 2})
    first.kill()
    alerts.make_anew()
    for position, previous in ((1, 0), (3, 1), (4, 3), (6, 4), (7, 6)):
        alerts.send(position, previous)
    second = alerts.consumer()
    assert told(second.lines(1)) == [7]
    alerts.send(2, 0, partition=1)
    alerts.send(8, 2, partition=1)
    assert told(second.lines(1)) == [8]


def test_a_version_it_does_not_know_is_left_alone_and_told(alerts: Alerts) -> None:
    alerts.send(1, 0, dataschema="urn:intabaza:schema:alert.issued:2", data={"anything": "else"})
    alerts.send(2, 1)
    consumer = alerts.consumer()
    assert told(consumer.lines(1)) == [2]
    assert "does not know, left alone: urn:intabaza:schema:alert.issued:2" in consumer.kill()


def test_kafka_that_is_away_ends_it_with_a_sentence_and_costs_nothing(alerts: Alerts, kafka: KafkaServer) -> None:
    alerts.send(1, 0)
    running = alerts.consumer()
    assert told(running.lines(1)) == [1]
    alerts.wait_until_kept({0: 1})
    with alerts.while_away(kafka):
        for consumer in (running, alerts.consumer()):
            status, lines, said = consumer.ends()
            assert (status, lines) == (1, [])
            assert said.startswith("Ended: ")
            assert said.endswith("What was told is kept; start it again.\n")
            assert said.count("\n") == 1
    alerts.send(3, 1)
    assert told(alerts.consumer().lines(1)) == [3]


def test_it_says_what_it_must_be_told() -> None:
    assert Consumer().ends() == (2, [], "Say where Kafka is: node alerts.mjs HOST:PORT [FILE]\n")
