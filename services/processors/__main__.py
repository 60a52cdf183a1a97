"""`python -m services.processors`: one worker, until SIGTERM. Several share the partitions."""

from __future__ import annotations

import logging
import sys

import faust
from faust.sensors.prometheus import setup_prometheus_sensors
from prometheus_client import start_http_server

from services.local.addresses import find_addresses
from services.local.problems import LocalProblem
from services.local.topics import EVENTS
from services.processors.delivery import make_app
from services.processors.live import LIVE
from services.processors.metrics import Metrics
from services.processors.worker import Worker
from services.settings import SettingsRefused, read_settings


def main() -> None:
    """Run until SIGTERM; ends with status 1 where something needs a person or a new start."""
    try:
        settings = read_settings()
        addresses = find_addresses(settings)
    except (LocalProblem, SettingsRefused) as problem:
        sys.exit(str(problem))
    metrics = Metrics()
    worker = Worker(addresses.projector_dsn, addresses.bootstrap, LIVE, settings.source, metrics)
    app = make_app(
        addresses.bootstrap,
        EVENTS,
        settings.processors_group,
        worker,
        str(settings.folder / "processors"),
        settings.processor_member,
    )
    setup_prometheus_sensors(app, registry=metrics.registry)
    server, _ = start_http_server(settings.processor_metrics_port, addr="127.0.0.1", registry=metrics.registry)
    for client in ("aiokafka", "kafka"):  # what their failures mean is told by the worker, once
        logging.getLogger(client).setLevel(logging.CRITICAL)
    print(f"Metrics on http://127.0.0.1:{server.server_port}/metrics", flush=True)
    faust.Worker(app, loglevel="INFO", quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
