"""A Kafka node of ours: it keeps its folder, says why it cannot start, and trusts no broker but its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource

from services.local.jars import kafka_jars
from services.local.kafka import KafkaServer
from services.local.problems import ChildDied, PortTaken, WrongVersion
from services.local.quick_start import quick_start
from services.local.topics import TOPICS, make_topics
from services.settings import Settings


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = a_server(tmp_path_factory.mktemp("kafka") / "one")
    server.start()
    yield server
    server.stop()


def a_server(folder: Path, port: int = 0) -> KafkaServer:
    return KafkaServer(folder, kafka_jars(Settings().cache_folder), port=port)


def test_it_keeps_its_cluster_over_a_kill(kafka: KafkaServer) -> None:
    before = kafka.cluster_id
    kafka.kill()
    kafka.start()
    assert kafka.cluster_id == before


def test_another_broker_at_its_address_is_not_taken_for_it(kafka: KafkaServer, tmp_path: Path) -> None:
    other = a_server(tmp_path / "other", kafka.port)
    with pytest.raises(PortTaken, match=rf"(Another Kafka|Port {kafka.port}).*INTABAZA_KAFKA_PORT"):
        other.start()
    assert other.pid is None
    assert kafka.pid is not None


def test_a_node_that_cannot_start_says_so_with_the_end_of_its_log(tmp_path: Path) -> None:
    server = a_server(tmp_path / "kafka")
    server.make()
    meta = server.data / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=9"))
    with pytest.raises(ChildDied) as died:
        server.start()
    assert re.search(r"Kafka ended by itself; its log .*kafka\.log ends with:\n    ", str(died.value))
    assert "9" in str(died.value)


def test_a_format_that_was_killed_half_way_is_made_anew(tmp_path: Path) -> None:
    server = a_server(tmp_path / "kafka")
    server.data.mkdir(parents=True)
    (server.data / "bootstrap.checkpoint").write_bytes(b"half")
    server.make()
    assert server.cluster_id


def test_a_folder_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    server = a_server(tmp_path / "kafka")
    server.make()
    (server.folder / "VERSION").unlink()
    with pytest.raises(WrongVersion, match="of an unknown version and this is Kafka"):
        server.start()


def test_what_a_start_after_a_kill_reads_again_stays_small_however_long_the_log(kafka: KafkaServer) -> None:
    make_topics(kafka.bootstrap, partitions=2, replication=1)
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        asked = [ConfigResource("TOPIC", topic, {"segment.bytes": ""}) for topic in TOPICS]
        found = next(iter(admin.describe_configs(asked, config_filter="all").values()))
    finally:
        admin.close()
    assert {found[topic]["segment.bytes"]["value"] for topic in TOPICS} == {str(64 * 2**20)}


def test_a_quick_start_whose_file_is_damaged_is_a_slow_one(tmp_path: Path) -> None:
    jars = kafka_jars(Settings().cache_folder)
    laid_out, *others = quick_start(jars)
    whole = bytearray(Path(laid_out.partition("=")[2]).read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 100_000] = b"Z" * 100_000
    damaged = tmp_path / "damaged.aot"
    damaged.write_bytes(whole)
    server = KafkaServer(tmp_path / "kafka", jars, java_options=(f"-XX:AOTCache={damaged}", *others))
    server.start()
    server.stop()
    assert "Checksum verification failed" in server.log.read_text()


def test_a_java_that_lays_nothing_out_is_tried_once_and_starts_as_ever(tmp_path: Path) -> None:
    java, jar = tmp_path / "java" / "bin" / "java", tmp_path / "cache" / "kafka" / "kafka.jar"
    for file in (java, jar):
        file.parent.mkdir(parents=True)
    jar.touch()
    assert quick_start([jar], java) == ()  # it does not say which one it is
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="17"\n')
    java.write_text(f"#!/bin/sh\necho asked >> {tmp_path}/asked\nexit 1\n")
    java.chmod(0o755)
    assert [quick_start([jar], java), quick_start([jar], java)] == [(), ()]
    assert (tmp_path / "asked").read_text() == "asked\n"
