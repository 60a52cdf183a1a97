"""Lanes on a ledger of their own, without a broker; and a broker a module for those that need one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from services.local.postgres import PostgresServer

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer
    from tests.support.lanes import LaneTrial
    from tests.support.working import WorkTrial


@pytest.fixture
async def trial(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[LaneTrial]:
    """One partition that holds everything."""
    from tests.support.lanes import lane_trial

    owner, app, projector = (
        postgres.dsn(fresh_database, role) for role in ("postgres", "intabaza_app", "intabaza_projector")
    )
    async with lane_trial(owner, app, projector) as each:
        yield each


@pytest.fixture
async def two_partitions(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[LaneTrial]:
    """Homes in two partitions."""
    from tests.support.lanes import lane_trial

    owner, app, projector = (
        postgres.dsn(fresh_database, role) for role in ("postgres", "intabaza_app", "intabaza_projector")
    )
    async with lane_trial(owner, app, projector, partitions=2) as each:
        yield each


@pytest.fixture
async def work(kafka: KafkaServer, postgres: PostgresServer, fresh_database: str) -> AsyncIterator[WorkTrial]:
    """Empty topics, and nothing folded."""
    from tests.support.working import work_trial

    dsns = postgres.dsn(fresh_database), postgres.dsn(fresh_database, "intabaza_projector")
    async with work_trial(kafka, *dsns) as each:
        yield each
