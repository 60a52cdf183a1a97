"""How old data becomes new: one step a version, at the edge, so that the rest of the code knows the newest only.

A step takes the data of version n and returns the data of version n + 1; it never fails on what was once written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcast = Callable[[dict[str, Any]], dict[str, Any]]


def _only_that_there_was_a_sign(data: dict[str, Any]) -> dict[str, Any]:
    """`nothing_to_report` stood in clear, and told by elimination who had sent a report: no reader gets it any more."""
    return {name: value for name, value in data.items() if name != "nothing_to_report"}


def _nobody_said_since_when(data: dict[str, Any]) -> dict[str, Any]:
    """Nothing says since when the absorbed case had waited, so the other goes on being asked by its own moments."""
    return data


UPCASTS: Mapping[tuple[str, int], Upcast] = {
    ("reporter.checked_in", 1): _only_that_there_was_a_sign,
    ("case.merged", 1): _nobody_said_since_when,
}
"""(wire name, old version) → the step to the next version."""


def lift(
    name: str, version: int, newest: int, data: dict[str, Any], upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS
) -> dict[str, Any]:
    """Lift data from a version to the newest, step by step; KeyError where a step is missing."""
    for step in range(version, newest):
        data = upcasts[name, step](data)
    return data
