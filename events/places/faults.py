"""What can be wrong with a gazetteer: each fault names its row and column, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from events.refusals import BadInput, Problem


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the rule it breaks, and where. `row` counts from 0 in its table; None is the whole table."""

    rule: str
    table: str
    row: int | None
    column: str
    expected: str
    mend: str

    def problem(self) -> Problem:
        """The fault as a refusal's problem, its place as a dotted path."""
        path = (self.table, "" if self.row is None else str(self.row), self.column)
        return Problem(field=".".join(part for part in path if part), expected=self.expected, mend=self.mend)


_MOST_TOLD = 50


class GazetteerFaulty(BadInput):
    """The gazetteer cannot be used; nothing was adopted. `faults` has them all, `problems` the first fifty."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(*(fault.problem() for fault in self.faults[:_MOST_TOLD]))


class NoSuchUnit(BadInput):
    """The gazetteer has no unit of this id."""

    def __init__(self, gazetteer_id: str) -> None:
        super().__init__(
            Problem(
                field="unit", expected=f"a unit of gazetteer {gazetteer_id}", mend="look the place up by name or code"
            )
        )


class NoSuchDivision(BadInput):
    """The gazetteer has no division of this key."""

    def __init__(self, gazetteer_id: str, known: Iterable[str]) -> None:
        expected = f"a division of gazetteer {gazetteer_id}"
        super().__init__(Problem(field="division", expected=expected, mend=f"choose one of {', '.join(known)}"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What recorded events rest on, of one unit: its kind and its home."""

    kind: str
    home: str


Keeping = Mapping[str, Kept]
"""The units of the gazetteer in force; the next one must keep them all."""


NO_JSON_OF_OURS = Fault(
    "bad_value",
    "content",
    None,
    "",
    "texts, whole numbers of at most 64 bits, lists and objects",
    "write degrees as millionths, and leave out what is no text and no number",
)
"""What no event could hold, wherever in a gazetteer's content it stands."""


def misread(error: ValidationError) -> Iterator[Fault]:
    """Turn a failed reading of whole facts into faults, one a field."""
    for detail in error.errors(include_url=False, include_input=False):
        table, *rest = detail["loc"] or ("",)
        row = rest.pop(0) if rest and isinstance(rest[0], int) else None
        yield misread_field(str(table), row if isinstance(row, int) else None, rest, detail)


def misread_field(table: str, row: int | None, path: Iterable[int | str], detail: Mapping[str, Any]) -> Fault:
    """Say in a sentence why one value of a row could not be read."""
    column = next((str(part) for part in path if isinstance(part, str)), "")
    expected, mend = _EXPECTED.get(column, (str(detail["msg"]).lower(), "correct it"))
    if detail["type"] == "missing":
        expected, mend = _EXPECTED.get(column, ("a value", ""))[0], "fill this in"
    return Fault("bad_value", table, row, column, expected, mend)


_ID = "an id of at most 64 of a-z 0-9 : . _ - that begins with a letter or digit"
_ID_MEND = "write it like bi:c2015:bubanza"
_EXPECTED = {
    "unit_id": (_ID, _ID_MEND),
    "parent_id": (_ID, _ID_MEND),
    "from_id": (_ID, _ID_MEND),
    "to_id": (_ID, _ID_MEND),
    "commune_id": (_ID, _ID_MEND),
    "division": ("a division's key, at most 32 of a-z 0-9 . _ -", "write it like 2025"),
    "sources": ("one or more keys of [sources], spaces between", "name the source of this row"),
    "latitude_udeg": ("a latitude in whole micro-degrees, -90000000 to 90000000", "multiply the degrees by 1000000"),
    "longitude_udeg": ("a longitude in whole micro-degrees, -180000000 to 180000000", "multiply degrees by 1000000"),
    "population": ("a whole number of people", "write digits only, or leave it blank when it is not known"),
    "population_year": ("a year", "write the four digits of the census"),
    "share_permille": ("a whole number from 1 to 1000", "give the share in thousandths"),
    "name": ("a name of 1 to 120 characters without spaces at its ends", "write the name"),
    "alias": ("a name of 1 to 120 characters without spaces at its ends", "write the name"),
    "valid_from": ("a date", "write it like 2025-06-05"),
}
