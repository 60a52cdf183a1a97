"""What a processor tells Prometheus, beside Faust's own sensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.processors.lane import Lane


class Metrics:
    """Gauges and counters of one worker, in a registry that Faust's sensors share."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.restarts = Counter(
            "intabaza_partition_restarts", "Partitions begun again after a failed commit", registry=self.registry
        )
        self.foreign = Counter("intabaza_foreign_records", "Records without our chain", registry=self.registry)
        self.waits = Gauge(
            "intabaza_processor_waits", "1 while it waits for Postgres, Kafka or the ledger", registry=self.registry
        )
        self._lag = Gauge(
            "intabaza_projection_lag_records",
            "Records on Kafka that a projection has not committed",
            ("projection", "partition"),
            registry=self.registry,
        )
        self._position = Gauge(
            "intabaza_projection_position",
            "Ledger position up to which a projection has committed",
            ("projection", "partition"),
            registry=self.registry,
        )
        self._parked = Gauge(
            "intabaza_projection_parked_keys",
            "Keys that take nothing until somebody looks",
            ("projection", "partition"),
            registry=self.registry,
        )

    def show(self, lanes: Iterable[Lane], ends: Mapping[int, int]) -> None:
        """Bring the gauges to what the lanes have; partitions that went elsewhere are no longer shown."""
        for gauge in (self._lag, self._position, self._parked):
            gauge.clear()
        for lane in lanes:
            for live in lane.live:
                labels = (live.projection.name, str(lane.partition))
                self._position.labels(*labels).set(live.mark.last_position)
                self._parked.labels(*labels).set(len(live.part.parked))
                if lane.partition in ends:
                    self._lag.labels(*labels).set(max(0, ends[lane.partition] - live.mark.next_offset))
