"""Each command's example reads as that command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from events.command import read_command
from services.api.commanding import Route
from services.api.commands import ROUTES
from services.api.examples import EXAMPLES


def test_every_command_has_an_example() -> None:
    assert EXAMPLES.keys() == {route.operation for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_an_example_reads_as_its_command(route: Route) -> None:
    body: Mapping[str, Any] = EXAMPLES[route.operation]
    beside = {name: value for name, value in body.items() if name in route.beside.model_fields}
    stamped = dict.fromkeys(route.command.stamped, "2026-05-20T06:30:00Z")
    read_command(route.beside, beside)
    read_command(route.command, {name: body[name] for name in body.keys() - beside.keys()} | stamped)
