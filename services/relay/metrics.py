"""What can be watched from outside: lag, leader, halts, foreign records; Prometheus on a loopback port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

if TYPE_CHECKING:
    from services.relay.leader import Leadership

WATCH_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Metrics:
    """The relay's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.lag_events = Gauge("intabaza_relay_lag_events", "Events not on Kafka yet.", registry=registry)
        self.lag_seconds = Gauge(
            "intabaza_relay_lag_seconds", "Age of the oldest event that is not on Kafka yet.", registry=registry
        )
        self.acknowledged = Gauge(
            "intabaza_relay_acknowledged_position", "Everything up to here is on Kafka.", registry=registry
        )
        self.restarts = Counter("intabaza_relay_restarts", "Producers thrown away after a doubt.", registry=registry)
        self.foreign = Gauge(
            "intabaza_relay_foreign_records", "Records on our topics that are not ours.", registry=registry
        )
        self.leader = Gauge("intabaza_relay_leader", "1 in the process that leads.", registry=registry)
        self.halted = Gauge("intabaza_relay_halted", "1 while a person has to do something.", registry=registry)
        self.halted_because = ""

    def serve(self, port: int) -> int:
        """Answer Prometheus on 127.0.0.1; returns the port, which for 0 comes from the kernel."""
        server, _ = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        return int(server.server_port)

    def leads(self, leads: bool) -> None:
        self.leader.set(leads)

    def goes_on(self) -> None:
        self.halted.set(0)
        self.halted_because = ""

    def halt(self, because: str) -> None:
        self.halted.set(1)
        self.halted_because = because

    async def watch(self, lead: Leadership) -> None:
        """Keep the figures that only the database knows, for ever."""
        while True:
            standing = await lead.standing()
            self.acknowledged.set(standing["acknowledged"])
            self.lag_events.set(standing["head"] - standing["acknowledged"])
            self.lag_seconds.set(max(standing["lag_seconds"], 0))
            self.foreign.set(standing["foreign_records"])
            await asyncio.sleep(WATCH_SECONDS)
