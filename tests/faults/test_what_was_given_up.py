"""What its supervisor gives up is started again by a person, who waits until the supervisor has said what it does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services.local.folder import DataFolder
from services.local.process import Identity
from tests.faults.world import CHILD, LOOK_SECONDS, World
from tests.support.stack import Stack

DEAD = Identity(2**22 + 1, "never").saved()
"""No process: ids end below."""


@dataclass
class Said(Stack):
    """A folder in which the test says what a supervisor would; of commands it keeps which were given."""

    given: list[tuple[str, ...]] = field(default_factory=list)

    def say(self, given_up: dict[str, Any], **servers: dict[str, Any]) -> None:
        here = Identity.of(os.getpid()).saved()
        running = dict.fromkeys(CHILD.values(), here)
        DataFolder(self.folder).write_state({"servers": running | servers, "given_up": given_up})

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.given.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, "", "")


@pytest.fixture
def said(tmp_path: Path) -> Iterator[Said]:
    """With a process that stands for the supervisor."""
    supervisor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    with supervisor:
        yield Said(tmp_path, supervisor=supervisor)
        supervisor.kill()


async def stands_up(said: Said) -> asyncio.Task[list[str]]:
    """A person at work, once they have looked."""
    person = asyncio.create_task(World(said, None).stand_up())  # type: ignore[arg-type]  # nobody is told
    await asyncio.sleep(2 * LOOK_SECONDS)
    return person


async def test_nobody_is_started_again_while_all_run(said: Said) -> None:
    said.say({})
    assert await (await stands_up(said)) == []
    assert said.given == []


async def test_one_that_is_given_up_only_after_a_person_looked_is_started_again(said: Said) -> None:
    said.say({}, notifier=DEAD)
    person = await stands_up(said)
    said.say({"notifier": {"deaths": 6}}, notifier=DEAD)
    assert await person == ["restart notifier"]
    assert said.given == [("restart", "notifier")]


async def test_one_that_comes_back_by_itself_is_left_alone(said: Said) -> None:
    said.say({}, notifier=DEAD)
    person = await stands_up(said)
    said.say({})
    assert await person == []
    assert said.given == []
