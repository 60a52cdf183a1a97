"""`python -m services.processors`: one worker, until SIGTERM. Several share the partitions."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import faust
import structlog
import uvloop
from faust.sensors.prometheus import setup_prometheus_sensors
from prometheus_client import start_http_server

from projections.live import LIVE
from projections.projection import Projection
from services.local.addresses import find_addresses
from services.local.topics import EVENTS
from services.local_problem import LocalProblem
from services.processors.collecting import collect_rarely
from services.processors.delivery import make_app
from services.processors.metrics import Metrics
from services.processors.open_gaps import OpenGaps
from services.processors.places import wait_for_topic
from services.processors.worker import Worker
from services.settings import SettingsRefused, read_settings
from services.telemetry import log_as_json

SILENT = ("aiokafka", "kafka")
"""What their failures mean is told by the worker, once; their own lines would go on while a broker is away."""

END_SECONDS = 4.0
"""How long an orderly end may take: what was folded is committed by then, or is folded again by whoever comes next."""


def main(projections: Sequence[Projection[Any, Any]] = LIVE) -> NoReturn:
    """Run until SIGTERM; ends with status 1 and a sentence where something needs a person or a new start."""
    try:
        settings = read_settings()
        addresses = find_addresses(settings)
    except (LocalProblem, SettingsRefused) as problem:
        sys.exit(str(problem))
    log_as_json(SILENT)
    collect_rarely()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # Faust makes two loops, each by the policy
    metrics = Metrics()
    worker = Worker(addresses.projector_dsn, addresses.bootstrap, projections, settings.source, metrics)
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
    log = structlog.get_logger("services.processors")
    log.info("processor begins", metrics=f"http://127.0.0.1:{server.server_port}/metrics")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until Faust takes it over
    wait_for_topic(addresses.bootstrap, EVENTS)
    OpenGaps(addresses.projector_dsn, metrics.registry).begin()
    status = 0
    try:
        _FaustWorker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False, override_logging=False).run()
    except SystemExit as ended:
        status = 1 if worker.halted is not None or ended.code else 0
    log.info("processor ends", status=status)
    if worker.halted is not None:
        print(worker.halted, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a thread that waits for a broker cannot be interrupted, and Python would wait for it


class _FaustWorker(faust.Worker):
    """Ends in time, also where the broker that it would say good-bye to is away; prints nothing of its own."""

    def run(self) -> NoReturn:
        self.spinner = None
        self.execute_from_commandline()

    def _schedule_shutdown(self, asked: signal.Signals) -> None:
        watch = threading.Timer(END_SECONDS, os._exit, (0,))
        watch.daemon = True
        watch.start()
        super()._schedule_shutdown(asked)


if __name__ == "__main__":
    main()
