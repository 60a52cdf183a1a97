"""The API on a real stack after everything that can be done was done, for tests that ask and change little."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from services.api.examples import MPANDA
from tests.support.doors import ADMIN, BEDE, ODILE, Caller, Doors, open_doors
from tests.support.story_by_http import Telling, tell


@dataclass(frozen=True)
class Told:
    """The API after the story was told and folded, and the ids of what it is about."""

    doors: Doors
    telling: Telling
    alert_id: str = ""

    def made(self, operation: str, thing: str, number: int = 0) -> str:
        return str(
            [deed for deed in self.telling.deeds if deed.route.operation == operation][number].answer.json()[thing]
        )

    @property
    def case_id(self) -> str:
        return self.made("case.open-case", "case_id")

    @property
    def report_id(self) -> str:
        return self.made("report.receive", "report_id")

    async def see(self, caller: Caller, path: str, **params: Any) -> dict[str, Any]:
        answer = await self.doors.get(caller, path, **params)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    async def refused(self, caller: Caller, path: str, **params: Any) -> tuple[int, int]:
        answer = await self.doors.get(caller, path, **params)
        return answer.status_code, answer.json()["number"]

    async def pages(self, caller: Caller, path: str, what: str, **params: Any) -> list[Any]:
        """All rows of a list, two a page."""
        rows: list[Any] = []
        answer = await self.doors.get(caller, path, limit=2, **params)
        while True:
            assert answer.status_code == 200, answer.text
            page = answer.json()[what]
            assert len(page) <= 2
            rows += page
            if (following := next_of(answer)) is None:
                return rows
            assert len(page) == 2
            url = httpx.URL(following)
            following_page: dict[str, Any] = {name: url.params.get_list(name) for name in url.params}
            answer = await self.doors.get(caller, url.path, **following_page)


def next_of(answer: httpx.Response) -> str | None:
    found = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
    return found[1] if found else None


@asynccontextmanager
async def a_told_story() -> AsyncIterator[Told]:
    """Everything told, folded, and strangers alerted."""
    async with open_doors() as doors:
        telling = Telling(doors)
        await tell(telling)
        told = Told(doors, telling)
        last = await an_alert(told)
        async with asyncio.timeout(60):
            while not all((await told.see(ADMIN, f"/v1/positions/{last}"))["projected"].values()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield replace(told, alert_id=(await doors.until_alerts())[0]["id"])


async def an_alert(told: Told) -> int:
    """Something extreme in Mpanda, of which strangers are told."""
    do, evidence = told.telling.do, {"report_id": told.report_id}
    case_id = (await do(ODILE, "case.open-case", unit=MPANDA, reports=[evidence | {"independent": "yes"}]))["case_id"]
    votes: dict[str, Any] = {"evidence": [told.report_id], "dissent": None, "recused": None, **told.telling.voted()}
    assessed = await do(BEDE, "case.assess", case_id, severity="extreme", credibility="1", **votes)
    return int(assessed["position"])
