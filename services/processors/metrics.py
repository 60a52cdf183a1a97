"""What a processor tells Prometheus, beside Faust's own sensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
        self._stood: dict[int, dict[str, _Stands]] = {}
        self._shown: dict[Gauge, set[tuple[str, str]]] = {}

    def show(self, partitions: Iterable[int], lanes: Iterable[Lane], ends: Mapping[int, int]) -> None:
        """Bring the gauges to what the lanes have, or last had where they wait to be begun again.

        Partitions that went elsewhere are no longer shown.
        """
        for lane in lanes:
            self.keep(lane)
        self._stood = {one: self._stood[one] for one in partitions if one in self._stood}
        told: dict[Gauge, dict[tuple[str, str], int]] = {self._lag: {}, self._position: {}, self._parked: {}}
        for partition, stood in self._stood.items():
            for name, stands in stood.items():
                labels = (name, str(partition))
                told[self._position][labels] = stands.position
                told[self._parked][labels] = stands.parked
                if partition in ends:
                    told[self._lag][labels] = max(0, ends[partition] - stands.next_offset)
        for gauge, values in told.items():
            for labels, value in values.items():
                gauge.labels(*labels).set(value)
            for labels in self._shown.get(gauge, set()) - values.keys():
                gauge.remove(*labels)
            self._shown[gauge] = set(values)

    def keep(self, lane: Lane) -> None:
        """Remember how a partition stands: while it waits to be begun again, nothing else knows."""
        self._stood[lane.partition] = {
            live.projection.name: _Stands(live.mark.last_position, len(live.part.parked), lane.committed_to(live))
            for live in lane.live
        }


@dataclass(frozen=True, slots=True)
class _Stands:
    """How a projection stands in one partition."""

    position: int
    parked: int
    next_offset: int
