"""Who has no token may ask as often as they like, and hears nothing of what went wrong inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from services.api import app as application
from services.api import health
from services.api.health import Readiness

SECRET = "canary-7f3a"


class Counting:
    """One part that is not ready, and how often it was looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.seconds = 0.0

    async def look(self, office: Any) -> str | None:
        self.looks += 1
        await asyncio.sleep(0)
        return f"look {self.looks}"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(health, "PARTS", {"ledger": counting.look})
    return counting


async def test_everybody_who_asks_within_a_moment_shares_one_look(part: Counting) -> None:
    office: Any = None
    readiness = Readiness(0.5, now=lambda: part.seconds)
    answers = await asyncio.gather(*(readiness.look(office) for _ in range(100)))
    answers += [await readiness.look(office) for _ in range(100)]
    assert all(one == {"ledger": "look 1"} for one in answers)
    part.seconds += 0.5
    assert await readiness.look(office) == {"ledger": "look 2"}
    assert part.looks == 2


async def test_who_goes_away_ends_the_look_of_nobody_else(part: Counting) -> None:
    office: Any = None
    readiness = Readiness(0.5, now=lambda: part.seconds)
    impatient, patient = (asyncio.create_task(readiness.look(office)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == {"ledger": "look 1"}


@asynccontextmanager
async def _never_opened() -> AsyncIterator[Any]:
    yield None


class _NoState(dict[str, Any]):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(SECRET)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/v1/levels"])
async def test_a_fault_outside_an_endpoint_is_a_problem_without_details(path: str) -> None:
    """Nothing was ever opened, so that whatever is asked of the office fails before an endpoint has begun."""
    made = application.make_app(_never_opened)
    made.state = _NoState()  # type: ignore[assignment]
    transport = httpx.ASGITransport(app=made)
    with capture_logs() as logged:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.get(path, params={"q": SECRET})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["number"] == 4007
    assert SECRET not in answer.text
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["fault"]
