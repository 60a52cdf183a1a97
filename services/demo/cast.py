"""Who acts: invented people, each known by a name of their part, with a role and an area. None of them is anybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from events.vocabulary import Role
from services.demo.scenario import Scenario

_PEOPLE = UUID("8b9a0f04-17b3-4a5e-8f6b-6d0d0a3a5c11")
"""Names the space of ids of invented people."""

NATIONAL = "coordinator of the country"


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody in the play; `units` None is everywhere."""

    name: str
    role: Role
    units: tuple[str, ...] | None = None
    recipient: str | None = None

    @property
    def person_id(self) -> UUID:
        return uuid5(_PEOPLE, self.name)


class Cast:
    """Everybody who may come on, made as they are asked for."""

    def __init__(self, scenario: Scenario) -> None:
        invented = scenario.head.invented
        self._gazetteer = scenario.gazetteer
        self._reporters = invented.reporters
        self.admin = Player("admin", Role.ADMIN)
        self.analyst = Player("analyst", Role.ANALYST)
        self.auditor = Player("auditor", Role.AUDITOR)
        self.consumer = Player("consumer", Role.CONSUMER)
        self.reviewers = tuple(Player(f"reviewer {n}", Role.REVIEWER) for n in range(1, invented.reviewers + 1))
        self.officers = tuple(Player(f"officer {n}", Role.REFERRAL_OFFICER) for n in range(1, invented.officers + 1))
        self.national = Player(NATIONAL, Role.COORDINATOR)

    def reporters(self, unit: str) -> tuple[Player, ...]:
        """Those who report from a unit."""
        return tuple(Player(f"reporter {n} of {unit}", Role.REPORTER, (unit,)) for n in range(1, self._reporters + 1))

    def coordinator(self, unit: str) -> Player:
        """Who coordinates the province that a unit lies in; for what lies in none, the country's coordinator."""
        province = province_of(self._gazetteer, unit)
        return Player(f"coordinator of {province}", Role.COORDINATOR, (province,)) if province else self.national

    def recipient(self, recipient: str) -> Player:
        """Who answers for a recipient."""
        return Player(f"somebody of {recipient}", Role.RECIPIENT, recipient=recipient)


def province_of(gazetteer: Gazetteer, unit: str) -> str | None:
    """The province that a unit is or lies in."""
    for one in _upwards(gazetteer, unit):
        if gazetteer.units[one].kind is UnitKind.PROVINCE:
            return one
    return None


def _upwards(gazetteer: Gazetteer, unit: str) -> Iterator[str]:
    yield unit
    yield from gazetteer.ancestors(unit)
