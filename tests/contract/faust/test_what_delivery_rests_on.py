"""Delivery overrides and calls private methods of faust-streaming 0.15.3: a change of any of them fails here, loudly.

What a fingerprint is of was read, and the trials of tests/integration/processors hold for it. Where one differs, read
what changed, run those trials, and only then write the new one here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher as AiokafkaFetcher
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.structs import TopicPartition
from faust import App
from faust.app.base import App as BaseApp
from faust.sensors.monitor import Monitor
from faust.sensors.prometheus import PrometheusMonitor
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, Fetcher, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.transport.drivers.aiokafka import Consumer as AiokafkaDriver

from services.processors import delivery
from services.processors.delivery import BatchConsumer, WrongFaust, make_app

FINGERPRINTS: dict[Callable[..., Any], str] = {
    Fetcher._fetcher.fun: "68f894f0b577d810",
    Fetcher.on_stop: "21f3bae9b455762b",
    Consumer.perform_seek: "0e8c130ff4b0afd8",
    Consumer._drain_messages: "44a2500309e83c63",
    Consumer._wait_next_records: "6218e1969a636b3f",
    Consumer.stop_flow: "cf7e875a2b0d40e8",
    Consumer.resume_flow: "db59630f25b5819b",
    ThreadDelegateConsumer._getmany: "f9d47aa9010b5ff2",
    ThreadDelegateConsumer.seek_wait: "e9db5bbc4ceb2543",
    ThreadDelegateConsumer.assignment: "58f5bf9281fb8ef9",
    ThreadDelegateConsumer.highwater: "f52cb0d26a713c3a",
    AiokafkaFetcher._get_actions_per_node: "1dab2cf937d165d0",
    AiokafkaFetcher._fetch_requests_routine: "2a8ec5932644c9b0",
    AIOKafkaConsumerThread.getmany: "26fc5fc9f3b667e1",
    AIOKafkaConsumerThread._fetch_records: "39a2c6c79fc1455a",
    AIOKafkaConsumerThread._seek_wait: "9d221e816d940467",
    AIOKafkaConsumerThread._ensure_consumer: "ff4a4c693b7ec63f",
    AIOKafkaConsumerThread._create_worker_consumer: "c2701bfc3e6f6cad",
    ThreadDelegateConsumer.highwaters: "3a2723b22582ffb7",
    AIOKafkaConsumerThread._highwaters: "a7f4f97d9f32aca2",
    PrometheusMonitor.on_message_in: "ca24793cbc41deb7",
    PrometheusMonitor.on_stream_event_in: "f592409433679cf8",
    Monitor.on_message_in: "b2a9a9045b2f456c",
    Monitor.on_stream_event_in: "df6d2e5f6397ce44",
    GroupCoordinator._perform_assignment: "a5cf61fa97320199",
    GroupCoordinator._on_join_prepare: "4d9524afc0ee2c2f",
    GroupCoordinator.request_rejoin: "f70a261c91c38cb5",
    GroupCoordinator._handle_metadata_update: "b2832b6d82bea7c4",
    CoordinatorGroupRebalance.perform_group_join: "ff2c2109b2e9868d",
    Recovery._resume_streams: "d986a6710c1aca98",
    BaseApp._on_partitions_revoked: "d5c895bbe57dc73a",
    BaseApp._on_partitions_assigned: "de932b7927db85b3",
    BaseApp._stop_consumer: "55854a5de12c3f52",
}


def fingerprint(function: Callable[..., Any]) -> str:
    return sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.parametrize("function", FINGERPRINTS, ids=lambda function: function.__qualname__)
def test_what_delivery_rests_on_is_what_it_was_tried_on(function: Callable[..., Any]) -> None:
    assert fingerprint(function) == FINGERPRINTS[function], (
        f"{function.__module__}.{function.__qualname__} has changed: read this file's first lines"
    )


def test_the_versions_are_those_of_the_trials() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == (delivery.FAUST, "0.14.0")


def test_another_version_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "version", lambda name: "0.16.0")
    with pytest.raises(WrongFaust, match=r"faust-streaming 0\.16\.0 is installed .* private methods of 0\.15\.3"):
        make_app("127.0.0.1:1", "t", "g", Nobody(), "/nowhere")


def test_delivery_overrides_what_is_there_and_takes_its_place() -> None:
    for name in ("perform_seek", "_drain_messages"):
        theirs, ours = getattr(AiokafkaDriver, name), getattr(BatchConsumer, name)
        assert ours is not theirs
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
        assert inspect.iscoroutinefunction(ours)
        assert inspect.iscoroutinefunction(theirs)
    assert "Consumer" in vars(Transport)
    assert inspect.iscoroutinefunction(AIOKafkaConsumer.commit)
    assert list(inspect.signature(AiokafkaFetcher.fetched_records).parameters)[1:] == [
        "partitions", "timeout", "max_records",
    ]  # fmt: skip


def test_an_application_reads_through_the_batches_and_opens_no_port() -> None:
    app: App = make_app("127.0.0.1:1,127.0.0.1:2", "events.v1", "group", Nobody(), "/nowhere", "one")
    consumer = app.transport.Consumer
    assert issubclass(consumer, BatchConsumer)
    assert (consumer.topic, app.conf.web_enabled, app.conf.topic_allow_declare) == ("events.v1", False, False)
    assert (app.conf.consumer_group_instance_id, app.conf.id) == ("one", "group")
    assert app.conf.broker_request_timeout >= app.conf.broker_session_timeout


def test_a_worker_that_waits_for_days_leaves_no_group() -> None:
    """aiokafka joins again only once somebody reads, and Faust lets nobody read before: the default is 1000 seconds."""
    app: App = make_app("127.0.0.1:1", "events.v1", "group", Nobody(), "/nowhere")
    assert 7 * 86_400 <= app.conf.broker_max_poll_interval < 2**31 / 1000, "Kafka takes it in milliseconds, as 32 bits"


@pytest.mark.parametrize(("patience", "asked"), [(0.1, {"two"}), (delivery.PATIENCE_SECONDS, set())])
def test_nobody_asks_for_some_partitions_while_others_wait_to_be_taken(patience: float, asked: set[str]) -> None:
    """With aiokafka's own patience it asks for those alone, and is deaf to the others until the broker has answered."""
    one, two = TopicPartition("one", 0), TopicPartition("two", 0)
    state = SimpleNamespace(has_valid_position=True, paused=False, position=7)
    fetched = FetchResult(one, assignment=None, partition_records=None, backoff=patience)
    fetched._created -= 5
    fetcher = SimpleNamespace(
        _records={one: fetched}, _in_flight=set(), _select_read_replica=lambda tp: 1, _max_partition_fetch_bytes=1,
        _fetch_max_wait_ms=1500, _fetch_min_bytes=1, _fetch_max_bytes=1, _isolation_level=0, _client_rack=None,
        _fetcher_timeout=1,
    )  # fmt: skip
    assignment = SimpleNamespace(tps=[one, two], state_value=lambda tp: state)
    requests, *_ = AiokafkaFetcher._get_actions_per_node(fetcher, assignment)

    assert {topic for _, request in requests for topic, _ in request._topics} == asked


class Nobody:
    """A handler that is never called."""

    def assigned(self, partitions: set[int]) -> None:
        raise AssertionError

    async def prepare(self) -> dict[int, int]:
        raise AssertionError

    async def offer(self, partition: int, records: Any) -> int | None:
        raise AssertionError

    async def look_around(self) -> None:
        raise AssertionError

    def show(self, ends: Any) -> None:
        raise AssertionError

    async def end(self) -> None:
        raise AssertionError
