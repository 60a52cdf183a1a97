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
        self._cosigned = Gauge(
            "intabaza_notary_cosigned_size",
            "Events under the last checkpoint that a witness cosigned.",
            ["witness"],
            registry=registry,
        )
        self._refuses = Gauge(
            "intabaza_notary_witness_refuses",
            "1 while what a witness said last, or did not say, is no cosignature.",
            ["witness"],
            registry=registry,
        )
        self._tree = Gauge("intabaza_notary_tree_size", "Events in the tree.", registry=registry)
        self._signed = Gauge("intabaza_notary_signed_size", "Events under the last checkpoint.", registry=registry)

    def serve(self, port: int) -> int:
        """Answer Prometheus on 127.0.0.1; returns the port, which for 0 comes from the kernel."""
        server, _ = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        return int(server.server_port)

    def begin_asking(self) -> None:
        """Nobody is asked yet: of whoever is asked no more there is no figure."""
        self._cosigned.clear()
        self._refuses.clear()

    def cosigned(self, witness: str, size: int) -> None:
        """How far a witness has cosigned."""
        self._cosigned.labels(witness).set(size)
        self._refuses.labels(witness).set(0)

    def not_cosigned(self, witness: str) -> None:
        """A witness did not cosign the last checkpoint."""
        self._refuses.labels(witness).set(1)

    def stand(self, tree: int, signed: int) -> None:
        """How far the tree is, and how much of it is signed."""
        self._tree.set(tree)
        self._signed.set(signed)
