"""A machine with other work takes its time: the demonstration says what it waits for, and gives up with that."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from services.demo.door import Door, NoAnswer
from services.demo.show import READY_SECONDS


class Session:
    """Answers /readyz with one after the other, the last one for ever."""

    def __init__(self, *not_ready: dict[str, str]) -> None:
        self._answers = list(not_ready)

    @asynccontextmanager
    async def get(self, path: str) -> Any:
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

        async def read() -> bytes:
            return orjson.dumps({"ready": not said, "not_ready": said})

        yield SimpleNamespace(status=503 if said else 200, read=read)


def door(*not_ready: dict[str, str]) -> Door:
    session: Any = Session(*not_ready)
    issuer: Any = None
    return Door("http://one.example", issuer, session)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.demo.door.LOOK_SECONDS", 0)


async def test_what_is_waited_for_is_said_once_each_time_it_changes() -> None:
    lines: list[str] = []
    projections = {"projections": "There is none yet"}
    await door({"ledger": "It is away"}, projections, projections, {}).until_ready(READY_SECONDS, lines.append)
    assert [line.partition(": ")[2] for line in lines] == ["ledger: It is away", "projections: There is none yet"]
    assert all("600 seconds at most" in line for line in lines)


async def test_who_gives_up_says_what_was_not_ready() -> None:
    with pytest.raises(NoAnswer, match="not ready after -1 seconds: ledger: It is away"):
        await door({"ledger": "It is away"}).until_ready(-1)
