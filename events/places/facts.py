"""What a gazetteer states: rows of small tables, each with its sources. The same rows stand in files and in events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from events.vocabulary import Open, UnitId, Value, Word


class UnitKind(Word):
    """What a unit is; a parent stands before its children in this list."""

    COUNTRY = "country"
    PROVINCE = "province"
    CITY = "city"
    COMMUNE = "commune"
    ZONE = "zone"
    HILL = "hill"
    OUTSIDE = "outside"
    UNPLACED = "unplaced"


class AliasKind(Word):
    """In what way a unit bears another name."""

    SPELLING = "spelling"
    MISSPELLING = "misspelling"
    SHORT_FORM = "short_form"
    LONG_FORM = "long_form"
    OFFICIAL_NAME = "official_name"
    OTHER_LANGUAGE = "other_language"
    OLD_NAME = "old_name"
    OLD_CODE = "old_code"
    CODE_SPELLING = "code_spelling"
    FORMER_COMMUNE = "former_commune"


class Confidence(Word):
    """How sure a succession is."""

    DOCUMENTED = "documented"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


LADDER = (UnitKind.COUNTRY, UnitKind.PROVINCE, UnitKind.CITY, UnitKind.COMMUNE, UnitKind.ZONE, UnitKind.HILL)
"""Kinds that lie inside one another, widest first."""

ALWAYS_IN_FORCE = frozenset({UnitKind.COUNTRY, UnitKind.OUTSIDE, UnitKind.UNPLACED})
"""Kinds that have no parent and no division."""

WITHIN_COMMUNE = frozenset({UnitKind.COMMUNE, UnitKind.ZONE, UnitKind.HILL})
"""Kinds whose home is a commune's; every other unit is a home by itself."""

UNPLACED_ID = "unplaced"
"""The unit of a report whose place nobody knows yet; every gazetteer has it."""

WHOLE = 1000
"""A whole, in permille."""


def _words(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
Sources = Annotated[tuple[Key, ...], BeforeValidator(_words), Field(min_length=1)]
"""Keys of the gazetteer's table of sources; in a file, words with spaces between."""

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^\S(.*\S)?$")]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")]
Permille = Annotated[int, Field(ge=1, le=WHOLE)]


class Row(Value):
    """One stated fact; an attribute of a later version is kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    table: ClassVar[str]
    sources: Sources


class Division(Row):
    """A way to divide the country, in force from a day on; the first may reach back as far as anyone asks."""

    table = "divisions"
    division: Key
    name: Name
    valid_from: date | None = None


class Unit(Row):
    """A place with a permanent id: names, codes and parents may change, the id never does.

    The centroid is in micro-degrees. `iso_3166` is part 1 for a country, part 2 below it.
    """

    table = "units"
    unit_id: UnitId
    kind: Open[UnitKind]
    name: Name
    latitude_udeg: Annotated[int, Field(ge=-90_000_000, le=90_000_000)] | None = None
    longitude_udeg: Annotated[int, Field(ge=-180_000_000, le=180_000_000)] | None = None
    population: Annotated[int, Field(ge=0, le=2_000_000_000)] | None = None
    population_year: Annotated[int, Field(ge=1800, le=2200)] | None = None
    pcode: Code | None = None
    national_code: Code | None = None
    iso_3166: Code | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for code in (self.pcode, self.national_code, self.iso_3166) if code is not None)


class Parent(Row):
    """In this division, the unit is in force and lies in this parent."""

    table = "parents"
    division: Key
    unit_id: UnitId
    parent_id: UnitId


class Alias(Row):
    """Another name of a unit; accepted for ever."""

    table = "aliases"
    unit_id: UnitId
    alias: Name
    kind: Open[AliasKind]


class Succession(Row):
    """When this division came, this share of an older commune went to this commune.

    `zones` and `hills` are how many of them went; they say what the share was counted from.
    """

    table = "successions"
    division: Key
    from_id: UnitId
    to_id: UnitId
    share_permille: Permille
    zones: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    hills: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    confidence: Open[Confidence]


class Earlier(Row):
    """In this older division, the ground of a newer zone or hill lay in this commune."""

    table = "earlier"
    division: Key
    unit_id: UnitId
    commune_id: UnitId
    confidence: Open[Confidence]


class Facts(Value):
    """All that a gazetteer states.

    `homes` holds the ids of homes that are already keys of recorded events: they are kept whatever comes. A gazetteer's
    files do not state it: it is computed, and written into the event that adopts the gazetteer. All divisions are in a
    gazetteer from the start, since homes are computed over all of them; `division_in_force` is the one that counts from
    the adoption on, the last where it is not stated.
    """

    gazetteer_id: Key
    name: Name
    edition: Annotated[int, Field(ge=1, le=10**15)]
    sources: dict[Key, Annotated[str, Field(min_length=1, max_length=400)]]
    divisions: tuple[Division, ...]
    units: tuple[Unit, ...]
    parents: tuple[Parent, ...]
    aliases: tuple[Alias, ...] = ()
    successions: tuple[Succession, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    homes: tuple[UnitId, ...] = ()
    division_in_force: Key | None = None

    def in_order(self) -> Facts:
        """The same facts with their rows sorted, so that the order of lines in a file changes nothing."""
        return self.model_copy(
            update={
                "units": _sorted(self.units, "unit_id"),
                "parents": _sorted(self.parents, "division", "unit_id"),
                "aliases": _sorted(self.aliases, "unit_id", "alias"),
                "successions": _sorted(self.successions, "division", "from_id", "to_id"),
                "earlier": _sorted(self.earlier, "division", "unit_id"),
                "homes": tuple(sorted(self.homes)),
            }
        )


def _sorted(rows: Iterable[Row], *by: str) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: tuple(str(getattr(row, name)) for name in by)))
