"""What one answer of the API costs: reads of one thing, of its history, of a list's first page, and a report sent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

from tests.benchmarks.connections import UNIT, load, reports, request
from tests.benchmarks.growth.costs import in_postgres
from tests.benchmarks.growth.stack import GrowingStack
from tests.benchmarks.growth.standing import SQL, standing

CONNECTIONS = 4


async def answers(grown: GrowingStack, seconds: float) -> dict[str, float]:
    """Of each request what it costs the API and PostgreSQL in CPU, and how long it takes at the median."""
    token = grown.token()
    head = (await standing(grown.owner)).head
    first = await grown.owner.fetchval(SQL["some_case"], 1)
    middle = await grown.owner.fetchval(SQL["some_case"], head // 2)
    addresses = {
        "a commune's level": f"/v1/levels/{UNIT}",
        "the history of a level": f"/v1/levels/{UNIT}/history",
        "all levels, first page": "/v1/levels",
        "the board, first page": "/v1/cases",
        "the board's counts": "/v1/cases/counts",
        "ended cases, first page": "/v1/cases/ended",
        "the timeline of the first case": f"/v1/cases/{_id(first)}/timeline",
        "the timeline of one half-way": f"/v1/cases/{_id(middle or first)}/timeline",
        "referrals, first page": "/v1/referrals",
        "referrals' counts": "/v1/referrals/counts",
        "the queue, first page": "/v1/queue",
        "the queue's counts": "/v1/queue/counts",
        "gaps, first page": "/v1/gaps",
        "recipients": "/v1/recipients",
        "alerts, first page": "/v1/alerts",
    }
    figures: dict[str, float] = {}
    for name, address in addresses.items():
        await _measured(figures, grown, name, repeat(request("GET", address, token)), seconds)
    await _measured(figures, grown, "a report sent", reports(token), seconds)
    return figures


async def _measured(
    figures: dict[str, float], grown: GrowingStack, name: str, requests: Iterator[bytes], seconds: float
) -> None:
    await load(grown.api_port, requests, CONNECTIONS, seconds / 4)
    async with grown.costs().watched() as used:
        _, each = await load(grown.api_port, requests, CONNECTIONS, seconds)
    each.sort()
    figures[f"{name}: API, µs"] = used["api"] / len(each) * 1e6
    figures[f"{name}: PostgreSQL, µs"] = used.get(in_postgres("api"), 0.0) / len(each) * 1e6
    figures[f"{name}: p50, ms"] = each[len(each) // 2] * 1e3


def _id(stream: str) -> str:
    return stream.partition("/")[2]
