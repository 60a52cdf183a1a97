"""The list of commands: all of them, and none takes a text without an end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from events.command import Command, read_command
from events.commands import COMMANDS
from events.envelope import BODY_LIMIT_BYTES
from events.reference import AdoptGazetteer
from events.refusals import BadInput
from tests.architecture.shapes import leaves, subclasses
from tests.unit.events.wrong_values import fields_of, kind_of

EVERY_COMMAND = [command for commands in COMMANDS.values() for command in commands]

CHECKED_BY_SIZE: dict[type[Command], set[str]] = {AdoptGazetteer: {"content"}}
"""An object whose canonical bytes have a limit, so that its texts have one too."""


def parts_of(command: type[Command]) -> Iterator[type[Command]]:
    """Commands that stand inside a command's fields."""
    for _, kind, _ in fields_of(command):
        inner = kind_of(kind.arguments[0]) if kind.type in (tuple, frozenset) else kind
        if isinstance(inner.type, type) and issubclass(inner.type, Command):
            yield inner.type
            yield from parts_of(inner.type)


def test_every_command_is_listed_exactly_once() -> None:
    assert len(EVERY_COMMAND) == len(set(EVERY_COMMAND))
    below = {command for command in subclasses(Command) if not command.__subclasses__()}
    parts = {part for command in EVERY_COMMAND for part in parts_of(command)}
    assert below - parts <= set(EVERY_COMMAND) <= subclasses(Command)


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_no_text_of_a_command_is_without_an_end(command: type[Command]) -> None:
    endless = {leaf.path for leaf in leaves(command) if leaf.type is str and not (leaf.pattern or leaf.longest)}
    assert endless - CHECKED_BY_SIZE.get(command, set()) == set()


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_command_is_told_in_a_sentence_and_takes_no_unknown_field(command: type[Command]) -> None:
    assert (command.__doc__ or "").strip().endswith((".", ":"))
    assert command.model_config["extra"] == "forbid"
    assert command.model_config["hide_input_in_errors"]


def test_a_gazetteer_that_no_event_could_hold_is_refused() -> None:
    body = {"gazetteer": "bi", "content_hash": "a" * 64, "content": {"name": "x" * BODY_LIMIT_BYTES}}
    with pytest.raises(BadInput) as caught:
        read_command(AdoptGazetteer, body)
    assert [problem.field for problem in caught.value.problems] == ["content"]
    assert "bytes" in caught.value.problems[0].expected
