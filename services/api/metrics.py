"""What the API tells Prometheus: requests by route and status, how long they took, who listens. Never who asked."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from services.vault.signs import Overdue

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30)


class Metrics:
    """The counters of one API process, in a registry of their own."""

    def __init__(self, listeners: Callable[[], float], overdue: Callable[[], Overdue]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "intabaza_api_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "intabaza_api_seconds", "How long a request took", ("route",), buckets=SECONDS, registry=self.registry
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        Gauge("intabaza_api_listeners", "Clients that follow the alerts", registry=self.registry).set_function(
            listeners
        )
        for name, about, shown in (
            ("overdue", "Signs of life whose day is over and that are not on the log", lambda: overdue().signs),
            ("overdue_seconds", "For how long the day of the oldest of them is over", lambda: overdue().seconds),
        ):
            Gauge(f"intabaza_api_signs_{name}", about, registry=self.registry).set_function(shown)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request, by the route's own words: an address may hold what somebody typed."""
        key = method, route, status
        if (known := self._known.get(key)) is None:  # looking labels up takes longer than counting
            known = self._known[key] = self._requests.labels(*key), self._seconds.labels(route)
        known[0].inc()
        known[1].observe(seconds)

    def response(self) -> Response:
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
