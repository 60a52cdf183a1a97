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
    """`engine` is None until one is adopted; `hours` are the rule set's targets by severity."""

    engine: int | None = None
    hours: dict[str, int] = field(default_factory=dict)

    def take(self, event: Taken) -> bool:
        """Take a broadcast; whether it told anything. Raises ValueError on what this program cannot follow."""
        if event.type == RulesAdopted.name:
            self.hours = response_hours(event.data["content"])
            return True
        if event.type == EngineAdopted.name and event.data["projection"] == NAME:
            number = event.data["number"]
            if number > VERSION:
                raise ValueError(f"engine {number} of {NAME} speaks, this program knows up to {VERSION}: update it")
            self.engine = number
            return True
        return False


def response_hours(content: str) -> dict[str, int]:
    """Hours by severity out of a rule set's `[response.answer_within_hours]`; none where it says nothing of it.

    Only this section is read: a rule set of long ago need not be one that today's rules would let in.
    """
    section: Any = tomllib.loads(content).get("response", {}).get("answer_within_hours", {})
    if not all(type(hours) is int and 0 < hours <= 10_000 for hours in section.values()):
        raise ValueError("answer_within_hours holds something else than whole hours from 1 to 10000")
    return dict(section)
