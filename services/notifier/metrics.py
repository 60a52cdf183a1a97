"""What the notifier tells Prometheus: by subscriber's id, never by address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server


class Metrics:
    """The notifier's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._delivered = Counter(
            "intabaza_notifier_delivered", "Webhooks that were answered with 2xx.", ("subscriber",), registry=registry
        )
        self._failed = Counter("intabaza_notifier_failed", "Tries that failed.", ("subscriber",), registry=registry)
        self._waiting = Gauge(
            "intabaza_notifier_waiting",
            "Alerts that are to be sent, as far as they were read (200).",
            ("subscriber",),
            registry=registry,
        )
        self._lag = Gauge(
            "intabaza_notifier_lag_seconds",
            "Age of the oldest alert that is to be sent.",
            ("subscriber",),
            registry=registry,
        )
        self._disablings = Counter(
            "intabaza_notifier_disablings", "Subscribers disabled after 410 or long failure.", registry=registry
        )
        self._disabled = Gauge("intabaza_notifier_disabled", "Subscribers that nothing is sent to.", registry=registry)
        self.leader = Gauge("intabaza_notifier_leader", "1 in the process that leads.", registry=registry)
        self._shown: set[UUID] = set()

    def serve(self, port: int) -> int:
        """Answer Prometheus on 127.0.0.1; returns the port, which for 0 comes from the kernel."""
        server, _ = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        return int(server.server_port)

    def tried(self, subscriber_id: UUID, *, delivered: bool) -> None:
        (self._delivered if delivered else self._failed).labels(str(subscriber_id)).inc()

    def disabled_one(self) -> None:
        self._disablings.inc()

    def stand(self, waiting: Mapping[UUID, tuple[int, datetime | None]], now: datetime) -> None:
        """How many wait for whom, and since when the oldest was recorded; of others nothing is shown any more."""
        for subscriber_id in self._shown - set(waiting):
            self._waiting.remove(str(subscriber_id))
            self._lag.remove(str(subscriber_id))
        self._shown = set(waiting)
        for subscriber_id, (count, since) in waiting.items():
            self._waiting.labels(str(subscriber_id)).set(count)
            age = (now - since).total_seconds() if since is not None else 0.0
            self._lag.labels(str(subscriber_id)).set(max(age, 0.0))

    def are_disabled(self, count: int) -> None:
        self._disabled.set(count)
