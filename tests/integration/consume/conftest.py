"""A broker for the module, and the topic of alerts made anew for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer
    from tests.support.strangers import Alerts


@pytest.fixture
def alerts(kafka: KafkaServer, tmp_path: Path) -> Iterator[Alerts]:
    from tests.support.strangers import Alerts

    with Alerts.on(kafka.bootstrap, tmp_path) as alerts:
        yield alerts
