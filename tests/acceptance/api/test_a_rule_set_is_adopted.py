"""From a file to the levels of everybody: a rule set is tried, refused or put in force by the command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from projections.rule_set import hash_of
from services.api.examples import GIHANGA
from tests.support.doors import ALINE, FABIEN, Doors, open_doors
from tests.support.levels import FIRST_RULES
from tests.support.story_by_http import Telling

CASES = Path(__file__).parents[3] / "deploy" / "rules" / "burundi.cases.toml"


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors() as doors:
        yield doors


async def rules(doors: Doors, *words: str) -> tuple[int, str]:
    done = await asyncio.to_thread(doors.stack.command, "rules", *words)
    return done.returncode, done.stdout + done.stderr


async def in_force(doors: Doors) -> str:
    return str((await doors.get(ALINE, "/v1/rules")).json()["content_hash"])


async def test_what_comes_out_otherwise_than_expected_is_not_adopted(doors: Doors, tmp_path: Path) -> None:
    file = tmp_path / "lenient.toml"
    file.write_text(FIRST_RULES.replace("points = 40000", "points = 30000"))
    status, said = await rules(doors, "adopt", str(file), "--cases", str(CASES), "--yes")
    assert status == 1
    assert "histories come out otherwise" in said
    assert await in_force(doors) == hash_of(FIRST_RULES)


async def level_under(doors: Doors, rules: str) -> dict[str, Any]:
    """The level of the place of the case, once the projections have computed it under these rules."""
    deadline = time.monotonic() + 60
    while True:
        level: dict[str, Any] = (await doors.get(FABIEN, f"/v1/levels/{GIHANGA}")).json()
        if level.get("rules_hash") == hash_of(rules) and level["open_cases"]:
            return level
        assert time.monotonic() < deadline, level
        await asyncio.sleep(0.1)


async def test_an_adopted_rule_set_is_in_force_and_every_level_is_computed_anew(doors: Doors, tmp_path: Path) -> None:
    at_once: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True}
    await Telling(doors).do(FABIEN, "case.open-case", **at_once)
    before = await level_under(doors, FIRST_RULES)
    text = FIRST_RULES.replace('name = "burundi-1"', 'name = "halved"').replace("severe = 5000", "severe = 2500")
    file = tmp_path / "halved.toml"
    file.write_text(text)

    status, said = await rules(doors, "adopt", str(file), "--yes")

    assert (status, said.split(" from ")[0]) == (0, "halved is in force")
    assert await in_force(doors) == hash_of(text)
    after = await level_under(doors, text)
    assert before["points"] == 2 * after["points"] > 0
    status, said = await rules(doors, "adopt", str(file), "--yes")
    assert (status, "is in force already: nothing was adopted" in said) == (1, True)
