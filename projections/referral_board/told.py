"""What broadcasts told the board: which engine speaks, and how soon the rules want a severe case answered."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

from events.reference import EngineAdopted, RulesAdopted
from projections.taken import Taken

NAME = "referral_board"
VERSION = 1
"""The newest engine in this program; an engine that once spoke stays."""


@dataclass(slots=True)
class Told:
    """`engine` is None until one is adopted; `hours` are the rule set's targets by severity.

    `ladder` has (hours after the target, role) of each rung; `open_too`: the rules speak for open cases, too.
    """

    engine: int | None = None
    hours: dict[str, int] = field(default_factory=dict)
    ladder: list[tuple[int, str]] = field(default_factory=list)
    open_too: bool = False

    def take(self, event: Taken) -> bool:
        """Take a broadcast; whether it told anything. Raises ValueError on what this program cannot follow."""
        if event.type == RulesAdopted.name:
            response = tomllib.loads(event.data["content"]).get("response", {})
            self.hours = response_hours(response)
            self.ladder = response_ladder(response)
            self.open_too = response.get("open_cases_too", False) is True
            return True
        if event.type == EngineAdopted.name and event.data["projection"] == NAME:
            number = event.data["number"]
            if number > VERSION:
                raise ValueError(f"engine {number} of {NAME} speaks, this program knows up to {VERSION}: update it")
            self.engine = number
            return True
        return False


def response_hours(response: Any) -> dict[str, int]:
    """Hours by severity out of a rule set's `[response.answer_within_hours]`; none where it says nothing of it.

    Only this section is read: a rule set of long ago need not be one that today's rules would let in.
    """
    section: Any = response.get("answer_within_hours", {})
    if not all(type(hours) is int and 0 < hours <= 10_000 for hours in section.values()):
        raise ValueError("answer_within_hours holds something else than whole hours from 1 to 10000")
    return dict(section)


def response_ladder(response: Any) -> list[tuple[int, str]]:
    """(hours, role) of each `[[response.ladder]]`, in its order; none where a rule set has none."""
    ladder = [(rung.get("after_hours"), rung.get("tell")) for rung in response.get("ladder", [])]
    hours = [after for after, _ in ladder]
    sound = all(type(after) is int and 0 <= after <= 10_000 and type(tell) is str for after, tell in ladder)
    if not sound or hours != sorted(set(hours)):
        raise ValueError("a ladder has a rung without hours from 0 to 10000 that grow, or without a role")
    return ladder
