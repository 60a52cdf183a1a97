"""Faust's own sensors are told of whole batches: they ask to be called for each message, which batches pass by."""

from __future__ import annotations

from collections.abc import Sequence

from faust.sensors.prometheus import PrometheusMonitor
from faust.types import TP, AppT

from services.processors.chain import Record


def count_batch(app: AppT, tp: TP, batch: Sequence[Record]) -> None:
    """What `on_message_in` and `on_stream_event_in` would count, once for all of a batch's messages."""
    monitor, count, last = app.monitor, len(batch), batch[-1].offset
    monitor.messages_received_total += count
    monitor.messages_received_by_topic[tp.topic] += count
    monitor.events_total += count
    monitor.tp_read_offsets[tp] = last
    if isinstance(monitor, PrometheusMonitor):
        told = monitor._metrics
        told.messages_received.inc(count)
        told.messages_received_per_topics.labels(topic=tp.topic).inc(count)
        told.messages_received_per_topics_partition.labels(topic=tp.topic, partition=tp.partition).set(last)
        told.total_events.inc(count)
