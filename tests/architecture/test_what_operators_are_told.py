"""What the pages for operators tell somebody to type, to set and to look for is what the program has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from services.api.problems import catalogue
from services.cli.app import app
from services.cli.evidence import CaseFirst
from services.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PAGES = ("deploy/README.md", "README.md", "ARCHITECTURE.md", "deploy/scenarios/README.md", "schemas/README.md")
OPERATORS = (ROOT / "deploy" / "README.md").read_text("utf-8")


def typed(page: str) -> list[str]:
    """Every command that stands there to be typed, from behind `intabaza`."""
    text = (ROOT / page).read_text("utf-8")
    fenced = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = [re.findall(r"(?:^|[\s(/])intabaza ([a-z][^)|;]*)", each) for each in (*fenced, *quoted)]
    return [command for each in found for command in each]


COMMANDS = get_command(app)


def command_of(words: list[str]) -> Any:
    """The command that these words begin with; the group, where they name none in it."""
    command: Any = COMMANDS
    while isinstance(command, TyperGroup):
        if words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        elif isinstance(command, CaseFirst) and words:
            command = command.commands["take"]
        else:
            break
    return command


def test_enough_is_found_on_the_pages_to_be_compared() -> None:
    assert len(typed("deploy/README.md")) > 100
    assert len(typed("README.md")) > 10


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_and_has_the_options_that_it_is_given(page: str) -> None:
    faults = []
    for one in typed(page):
        words = one.split()
        command = command_of(words)
        known = {name for parameter in command.params for name in parameter.opts}
        if isinstance(command, TyperGroup) or {word for word in words if word.startswith("-")} - known:
            faults.append(one)
    assert faults == []


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_is_one(page: str) -> None:
    """`INTABAZA_API_AS_OF_…` stands for those that begin so."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    named = re.findall(rf"{PREFIX}([A-Z_]*[A-Z])(_…)?", (ROOT / page).read_text("utf-8"))
    assert [
        name
        for name, more in named
        if not (any(one.startswith(f"{PREFIX}{name}_") for one in known) if more else f"{PREFIX}{name}" in known)
    ] == []


def test_every_number_of_a_problem_stands_beside_its_status() -> None:
    known = {(kind.status, kind.number) for kind in catalogue()}
    rows = re.findall(r"\| (?:.*?)(\d{3}), number (\d{4})(?: or (\d{4}))?", OPERATORS)
    named = {(int(status), int(number)) for status, *numbers in rows for number in numbers if number}
    assert len(named) > 15
    assert named - known == set()


def test_every_metric_is_measured() -> None:
    named = set(re.findall(r"`(intabaza_[a-z_]+)[`{]", OPERATORS))
    assert len(named) > 8
    assert {name for name in named if not any(re.fullmatch(pattern, name) for pattern in measured())} == set()


def measured() -> set[str]:
    """The names of metrics in the code, as patterns: `{name}` within one is any word."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "services").rglob("*.py"))
    return {re.sub(r"\{\w+\}", "[a-z_]+", name) for name in re.findall(r'"(intabaza_[a-z_{}]+)"', text)}
