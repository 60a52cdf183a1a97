"""`intabaza up` in an empty folder: a migrated database, both topics, secrets, and only one supervisor."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import asyncpg
import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource

from events.envelope import WIRE_LIMIT_BYTES
from services.local.folder import DataFolder
from services.local.problems import TopicsDiffer
from services.local.topics import make_topics
from tests.support.stack import Stack, a_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack() as running:
        running.up()
        yield running


async def test_the_services_log_in_to_a_migrated_database(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.addresses.app_dsn)
    assert await connection.fetchval("SELECT current_user") == "intabaza_app"
    assert await connection.fetchval("SELECT count(*) FROM ledger.event") == 0
    assert await connection.fetchval("SHOW fsync") == "on"
    await connection.close()


async def test_nobody_logs_in_without_the_password(stack: Stack) -> None:
    _, _, where = stack.addresses.app_dsn.partition("@")
    for role in ("postgres", "intabaza_app", "intabaza_vault"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://{role}:guess@{where}")


def test_both_topics_keep_everything_for_ever(stack: Stack) -> None:
    admin = KafkaAdminClient(bootstrap_servers=stack.addresses.bootstrap)
    described = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(["events.v1", "alerts.v1"])}
    assert described == {"events.v1": 12, "alerts.v1": 12}
    asked = [ConfigResource("TOPIC", name) for name in described]
    for found in admin.describe_configs(asked, config_filter="all")["topic"].values():
        values = {name: found[name]["value"] for name in ("flush.messages", "retention.ms", "retention.bytes")}
        assert values == {"flush.messages": "1", "retention.ms": "-1", "retention.bytes": "-1"}
        assert found["cleanup.policy"]["value"] == "delete"
    admin.close()


def test_an_event_of_the_largest_size_goes_through_with_its_headers(stack: Stack) -> None:
    largest = b"x" * WIRE_LIMIT_BYTES
    # as long as ours, and foreign by one letter: nobody takes it for a part of the chain
    headers = [("content-type", b"application/cloudevents-json"), ("position", b"9" * 19), ("previous", b"9" * 19)]
    producer = KafkaProducer(bootstrap_servers=stack.addresses.bootstrap)
    sent = producer.send("events.v1", largest, key=b"k" * 200, partition=3, headers=headers).get(timeout=30)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=stack.addresses.bootstrap)
    partition = TopicPartition("events.v1", 3)
    consumer.assign([partition])
    consumer.seek(partition, sent.offset)
    assert next(consumer).value == largest
    consumer.close()


def test_another_number_of_partitions_is_refused(stack: Stack) -> None:
    with pytest.raises(TopicsDiffer, match=r"12 partitions and the setting says 5.*INTABAZA_PARTITIONS=12"):
        make_topics(stack.addresses.bootstrap, 5)


def test_a_topic_that_would_lose_events_is_refused(stack: Stack) -> None:
    admin = KafkaAdminClient(bootstrap_servers=stack.addresses.bootstrap)
    try:
        admin.alter_configs([ConfigResource("TOPIC", "alerts.v1", {"retention.ms": "1000"})])
        with pytest.raises(TopicsDiffer, match=r"alerts\.v1 would lose.*retention\.ms is 1000 and must be -1"):
            make_topics(stack.addresses.bootstrap, 12)
    finally:
        admin.alter_configs([ConfigResource("TOPIC", "alerts.v1", {"retention.ms": "-1"})])
        admin.close()
    make_topics(stack.addresses.bootstrap, 12)


def test_a_topic_of_an_earlier_release_unpacks_from_now_on_what_strangers_packed(stack: Stack) -> None:
    bootstrap = stack.addresses.bootstrap
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.alter_configs([ConfigResource("TOPIC", "alerts.v1", {"compression.type": "producer"})])
        make_topics(bootstrap, 12)
        asked = ConfigResource("TOPIC", "alerts.v1", {"compression.type": ""})
        [found] = admin.describe_configs([asked], config_filter="all").values()
    finally:
        admin.close()
    assert found["alerts.v1"]["compression.type"]["value"] == "uncompressed"


def test_the_secrets_are_for_our_account_only_and_stand_in_no_log_and_no_command_line(stack: Stack) -> None:
    folder = DataFolder(stack.folder)
    secrets = [*folder.passwords().values(), folder.master_key.read_text().strip()]
    for file in folder.secrets.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o700
    assert stack.supervisor is not None
    said = [stack.command("logs").stdout, stack.command("settings").stdout, folder.state_file.read_text()]
    said += [" ".join(process.cmdline()) for process in [*stack.processes(), psutil.Process(stack.supervisor.pid)]]
    assert len(stack.processes()) == 2
    for secret in secrets:
        assert not any(secret in text for text in said)


def test_logs_are_for_our_account_only(stack: Stack) -> None:
    logs = list(stack.folder.rglob("*.log"))
    assert {log.name for log in logs} >= {"kafka.log", "postgres.log"}
    for log in logs:
        if log.name in ("kafka.log", "postgres.log"):
            assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_status_names_every_process(stack: Stack) -> None:
    shown = stack.command("status")
    assert shown.returncode == 0
    assert "postgres" in shown.stdout
    assert f"127.0.0.1:{stack.state['ports']['kafka']}" in shown.stdout


def test_address_names_one_process_for_scripts(stack: Stack) -> None:
    assert stack.command("address", "kafka").stdout == f"{stack.addresses.bootstrap}\n"
    assert stack.command("address", "postgres").stdout == f"127.0.0.1:{stack.state['ports']['postgres']}\n"
    unknown = stack.command("address", "nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "nothing is none of kafka, postgres, which have an address here.\n"


def test_logs_shows_the_end_of_each(stack: Stack) -> None:
    shown = stack.command("logs", "kafka", "-n", "5")
    assert shown.returncode == 0
    assert "kafka.log" in shown.stdout
    missing = stack.command("logs", "nothing")
    assert missing.returncode == 1
    assert "There is no log of nothing; there are: kafka, postgres" in missing.stderr


def test_a_second_supervisor_on_the_folder_is_refused_and_harms_nothing(stack: Stack) -> None:
    assert stack.supervisor is not None
    before = stack.state
    second = stack.command("up")
    assert second.returncode == 1
    assert f"Another supervisor (process {stack.supervisor.pid}) runs the stack" in second.stderr
    assert second.stderr.count("\n") == 1
    assert stack.state == before
    assert stack.command("status").returncode == 0


def test_an_operator_confirms_the_clock(stack: Stack) -> None:
    done = stack.command("clock", "accept", "--yes")
    assert (done.returncode, done.stdout.strip()) == (0, "Confirmed: appends go on under the database's clock.")


def test_a_stack_that_does_not_run_has_no_clock_to_confirm() -> None:
    with a_stack() as absent:
        done = absent.command("clock", "accept", "--yes")
    assert done.returncode == 1
    assert "start it with `intabaza up`" in done.stderr
    assert "Traceback" not in done.stderr
