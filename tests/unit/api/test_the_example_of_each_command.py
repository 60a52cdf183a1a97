"""Each command's example reads as that command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from events.command import read_command
from services.api.commanding import Act
from services.api.commands import ACTS
from services.api.examples import EXAMPLES


def test_every_command_has_an_example() -> None:
    assert EXAMPLES.keys() == {act.operation for act in ACTS}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.operation)
def test_an_example_reads_as_its_command(act: Act) -> None:
    body: Mapping[str, Any] = EXAMPLES[act.operation]
    beside = {name: value for name, value in body.items() if name in act.beside.model_fields}
    stamped = dict.fromkeys(act.command.stamped, "2026-05-20T06:30:00Z")
    read_command(act.beside, beside)
    read_command(act.command, {name: body[name] for name in body.keys() - beside.keys()} | stamped)
