"""Kafka holds something else than the ledger."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.checker.records import Record
from tests.faults.tampering.run import Run, Tamperings


def drop_a_record(left: Run) -> None:
    del left.partition()[-1]


def drop_a_record_in_the_middle(left: Run) -> None:
    records = left.partition()
    del records[len(records) // 2]


def skip_the_lowest_position(left: Run) -> None:
    del left.partition()[0]


def turn_two_records_round(left: Run) -> None:
    records = left.partition()
    records[3], records[4] = records[4], records[3]


def change_a_records_bytes(left: Run) -> None:
    left.only_there()[2].value += b" "


def repeat_a_record(left: Run) -> None:
    left.partition().append(left.partition()[1])


def repeat_a_record_with_other_bytes(left: Run) -> None:
    one = left.partition()[1]
    left.partition().append(replace(one, value=one.value + b" "))


def put_a_foreign_record_there(left: Run) -> None:
    left.partition().append(Record([], b"x", 0, -1, 0))


def put_a_record_into_another_partition(left: Run) -> None:
    its = left.partition()
    other = next(records for records in left.topics["events.v1"].values() if records is not its)
    last = left.only_there()[-1]
    headers = [(name, b"0" if name == "previous" else value) for name, value in last.headers]
    other.insert(0, replace(last, headers=headers))


def lose_what_goes_to_everybody_in_one_partition(left: Run) -> None:
    adopted = left.rows[left.index(lambda row: row.home == "*")].position
    its = left.partition()
    its[:] = [one for one in its if dict(one.headers)["position"] != b"%d" % adopted]


def say_a_tick_to_one_home(left: Run) -> None:
    left.change("report.received", type="clock.ticked")


def lose_an_alert_for_strangers(left: Run) -> None:
    del left.partition("alerts.v1")[-1]


TAMPERINGS: Tamperings = (
    (drop_a_record, "partition_misses"),
    (drop_a_record_in_the_middle, "chain_broken"),
    (skip_the_lowest_position, "partition_misses"),
    (turn_two_records_round, "chain_broken"),
    (change_a_records_bytes, "bytes_differ"),
    (repeat_a_record, "repeated_without_cause"),
    (repeat_a_record_with_other_bytes, "repeat_differs"),
    (put_a_foreign_record_there, "foreign_without_cause"),
    (put_a_record_into_another_partition, "not_of_this_partition"),
    (lose_what_goes_to_everybody_in_one_partition, "partition_misses"),
    (say_a_tick_to_one_home, "tick_not_for_everybody"),
    (lose_an_alert_for_strangers, "partition_misses"),
    (change_a_records_bytes, "checkpoint_differs_from_kafka"),
)
