"""The port of the persons: who is behind a random id, answered only where a decision needs it.

The events know persons as random ids and pseudonyms; the vault alone knows which of them are one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from events.refusals import BadInput

_E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")
_WRITTEN_BETWEEN = re.compile(r"[\s().\-/]")


def phone_number(written: str) -> str:
    """One number, one spelling (E.164); raises BadInput without quoting the number."""
    number = _WRITTEN_BETWEEN.sub("", written)
    if number.startswith("00"):
        number = "+" + number[2:]
    if not _E164.match(number):
        raise BadInput.field(
            "phone", "a number with its country's code, as +257 79 000 000", "write it from the plus sign on"
        )
    return number


class Persons(Protocol):
    """The people of one deployment. For an erased person everything answers as for somebody never known."""

    async def find_person(self, phone: str) -> UUID | None:
        """The person with this phone, or None."""
        ...

    async def person_by_phone(self, phone: str) -> UUID:
        """The person with this phone; makes one, under a random id, at its first call. Raises BadInput."""
        ...

    async def introduce(self, phone: str, person_id: UUID) -> UUID:
        """Make a person of a new phone under this random id; whoever has the phone. Raises BadInput."""
        ...

    async def record_source(self, report_id: UUID, person_id: UUID) -> None:
        """Say whose report it is, before it is appended; raises SourceDiffers, and KeyGone for an erased person."""
        ...

    async def same_person(self, report_id: UUID, person_id: UUID) -> bool | None:
        """Whether the report is this person's own; None where its source is not known."""
        ...

    async def same_source(self, report_id: UUID, other_report_id: UUID) -> bool | None:
        """Whether two reports have one source; None where either's source is not known."""
        ...

    async def spoken_of(self, report_id: UUID) -> frozenset[UUID]:
        """The people of whom the report's texts are known to speak: erasing one of them destroys its key."""
        ...

    async def pseudonym(self, person_id: UUID, about: UUID) -> UUID:
        """The person's name in events about this case or report: always the same there, another one elsewhere."""
        ...

    async def reporter_id(self, person_id: UUID, home: str) -> UUID:
        """The id of the person's `reporter/` stream in this home; the ids of two homes do not match."""
        ...

    async def find_reporter_id(self, person_id: UUID, home: str) -> UUID | None:
        """The same where they have one already, or None: nothing is made by asking."""
        ...

    async def reporter_streams(self, person_id: UUID) -> Mapping[str, UUID]:
        """The ids of all `reporter/` streams of the person, by their homes."""
        ...

    async def reporters_in(self, homes: Collection[str] | None) -> Sequence[tuple[UUID, UUID]]:
        """Each person and `reporter/` stream in these homes, None: in all; for who looks after reporters."""
        ...

    async def reports_of(self, people: Collection[UUID]) -> Mapping[UUID, Collection[UUID]]:
        """The reports of each of these persons who sent any; for who looks after reporters, and for nobody else."""
        ...

    async def known(self, person_id: UUID) -> bool:
        """Whether the vault has ever had this person; nobody is made by asking."""
        ...

    async def committee(self) -> frozenset[UUID]:
        """The people who may vote; who was erased has no seat."""
        ...

    async def seat(self, person_id: UUID, *, sits: bool) -> bool:
        """Take a seat in the committee for somebody, or give it back; False where it was so already."""
        ...
