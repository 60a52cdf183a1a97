"""What the notary tells Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server


class Metrics:
    """The notary's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.leader = Gauge("intabaza_notary_leader", "1 in the process that leads.", registry=registry)
        self.halted = Gauge("intabaza_notary_halted", "1 while nothing may be signed.", registry=registry)
        self.checkpoints = Counter("intabaza_notary_checkpoints", "Checkpoints signed.", registry=registry)
        self._tree = Gauge("intabaza_notary_tree_size", "Events in the tree.", registry=registry)
        self._signed = Gauge("intabaza_notary_signed_size", "Events under the last checkpoint.", registry=registry)

    def serve(self, port: int) -> int:
        """Answer Prometheus on 127.0.0.1; returns the port, which for 0 comes from the kernel."""
        server, _ = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        return int(server.server_port)

    def stand(self, tree: int, signed: int) -> None:
        """How far the tree is, and how much of it is signed."""
        self._tree.set(tree)
        self._signed.set(signed)
