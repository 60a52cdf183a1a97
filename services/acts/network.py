"""What every act may ask: the desk, the vault's opener, the gazetteer in force, the committee."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr

from events.case.state import Case
from events.places.faults import NoSuchUnit
from events.places.gazetteer import Gazetteer
from events.refusals import BadInput
from events.sealed import Sealable, Sealed
from events.vocabulary import ActorClass, Located, PlacePrecision
from services.desk.desk import Desk
from services.desk.reading import Reading
from services.vault.opening import Opened, Opener
from services.vault.refused import KeyGone

UNPLACED = "unplaced"
"""The unit of a report whose place nobody could tell; a home by itself."""


@dataclass(frozen=True, slots=True)
class Committee:
    """Who may vote, as person ids, and how many must agree; both by the rules in force."""

    members: frozenset[UUID]
    required: int
    ratify_within: timedelta = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Network:
    """The collaborators of every act."""

    desk: Desk
    opener: Opener
    gazetteer: Gazetteer
    committee: Committee

    def located(self, unit: str, precision: PlacePrecision) -> Located:
        """A unit of the gazetteer in force; raises BadInput for one it does not have."""
        try:
            self.gazetteer.unit(unit)
        except NoSuchUnit:
            raise BadInput.field("unit", "a unit of the gazetteer in force", "look the place up by its name") from None
        return Located(unit=unit, precision=precision, gazetteer=self.gazetteer.content_hash)

    def located_or_unplaced(self, unit: str | None, precision: PlacePrecision) -> tuple[Located, bool]:
        """Where a message speaks of, and whether that is known: a message is never refused for its place."""
        if unit is not None and unit in self.gazetteer.units and unit != UNPLACED:
            return self.located(unit, precision), True
        return self.located(UNPLACED, PlacePrecision.UNKNOWN), False

    async def eligible(self, about: UUID) -> frozenset[UUID]:
        """The committee's members under the pseudonyms they have about a report or case; who was erased is none."""
        asked = (self.desk.persons.pseudonym(member, about) for member in self.committee.members)
        names = await gather(*asked, return_exceptions=True)  # at once, so that they share one round trip
        for name in names:
            if isinstance(name, BaseException) and not isinstance(name, KeyGone):
                raise name
        return frozenset(name for name in names if isinstance(name, UUID))

    async def words_of(
        self, reading: Reading, stream: str, words: Mapping[str, tuple[int, Sealable]]
    ) -> tuple[Mapping[str, SecretStr], frozenset[str]]:
        """A state's sealed words in clear, and the names of those erased for ever, for a decision alone.

        Nobody sees them, so no view is recorded; the append asserts that their keys are still there.
        """
        sealed = {name: (version, word) for name, (version, word) in words.items() if isinstance(word, Sealed)}
        opened = await self.opener.carry(stream, sealed) if sealed else Opened()
        reading.key_ids |= opened.key_ids
        return opened.texts, opened.erased

    async def actor_class(self, reading: Reading, case: Case) -> ActorClass | None:
        """The alleged actor's class as it stands, for a decision alone; None where it was erased."""
        actor = {name: word for name, word in case.words.items() if name == "actor_class"}
        words, _ = await self.words_of(reading, f"case/{case.case_id}", actor)
        return ActorClass.read(words["actor_class"].get_secret_value()) if words else None
