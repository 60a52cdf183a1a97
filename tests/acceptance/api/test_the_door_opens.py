"""A report through the real API, from a person with a token to the ledger, Kafka and the projections."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.doors import ALINE, Doors, open_doors

REPORT = {"channel": "sms", "language": "rn", "kind": "tension", "unit": "bi:c2015:gihanga", "text": "imvo"}


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors() as doors:
        yield doors


async def test_a_report_is_accepted(doors: Doors) -> None:
    answer = await doors.post(ALINE, "/v1/reports", REPORT, wait="projected")
    assert (answer.status_code, answer.json()["projected"]) == (201, True), answer.text
