"""The same inputs give the same events, nothing is changed in place, and nobody asks a clock or for luck."""

from __future__ import annotations

import ast
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from pydantic import ValidationError

import events
from events.commands import COMMANDS
from tests.support.domain import fold
from tests.unit.events.every_act import DEEDS, Deed

MODULES = sorted(Path(events.__file__).parent.rglob("*.py"))
ASKING = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid1", "uuid4"}
ASKED = {"random", "secrets", "time", "os", "socket", "asyncio", "threading", "subprocess", "logging"}


def test_every_command_is_tried() -> None:
    tried = [type(deed.command) for deed in DEEDS]
    assert sorted(command.__name__ for group in COMMANDS.values() for command in group) == sorted(
        command.__name__ for command in tried
    )


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_the_same_inputs_give_equal_events_and_leave_the_state_as_it_was(deed: Deed) -> None:
    before = deepcopy(deed.states)
    first, second = deed.done(), deed.done()
    assert first == second
    assert any(told.events for told in first)
    assert deed.states == before


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_evolving_makes_a_new_state_and_leaves_the_old_one(deed: Deed) -> None:
    before = deepcopy(deed.states)
    for state, told in zip(deed.states, deed.done(), strict=True):
        after = fold(state, deed.evolve, told.events)
        assert after.version == state.version + len(told.events)
    assert deed.states == before


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_states_commands_and_events_are_frozen(deed: Deed) -> None:
    for state in deed.states:
        with pytest.raises(FrozenInstanceError):
            setattr(state, fields(state)[0].name, None)
    for model in (deed.command, *deed.done()[0].events):
        with pytest.raises(ValidationError):
            setattr(model, next(iter(type(model).model_fields)), None)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_no_module_of_the_domain_asks_the_time_or_for_luck(module: Path) -> None:
    nodes = list(ast.walk(ast.parse(module.read_text())))
    calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    assert not {call for call in calls if any(f".{call}".endswith(f".{asking}") for asking in ASKING)}
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in imported} & ASKED
