"""Somebody whom the vault may not know yet: found first, written there only when an act that names them is decided.

So a refused command leaves nobody in the vault.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID, uuid4

from services.vault.persons import Persons

MOST_TRIES = 8

T = TypeVar("T")
Introduce = Callable[[], Awaitable[None]]


class IntroducedMeanwhile(Exception):
    """Another command made a person of the same phone first, under another id."""


async def nobody_new() -> None:
    """Everybody whom the act names is known, or is known by their id alone."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A phone that the vault does not have, and the id drawn for whoever has it."""

    persons: Persons
    phone: str = field(repr=False)
    person_id: UUID = field(default_factory=uuid4, repr=False)

    async def introduce(self) -> None:
        """Make the person; raises IntroducedMeanwhile."""
        if await self.persons.introduce(self.phone, self.person_id) != self.person_id:
            raise IntroducedMeanwhile


async def of_a_phone(persons: Persons, phone: str, act: Callable[[UUID, Introduce], Awaitable[T]]) -> T:
    """Do `act` about whoever has this phone; it introduces them once it is decided. Raises BadInput."""
    for tries_left in reversed(range(MOST_TRIES)):
        if (known := await persons.find_person(phone)) is not None:
            return await act(known, nobody_new)
        newcomer = Newcomer(persons, phone)
        try:
            return await act(newcomer.person_id, newcomer.introduce)
        except IntroducedMeanwhile:
            if not tries_left:
                raise
    raise AssertionError("unreachable: the last try returns or raises")
