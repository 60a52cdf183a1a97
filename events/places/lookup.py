"""Reading the words for a place: one unit where they mean one, else candidates or near names, never a guess.

A name means one unit when, after narrowing, one unit of the division bears it and nothing older of that name could be
meant: an older unit may be passed over only if it is of the same kind and all its ground lies in the newer one today.
An older unit whose name nobody took over is found under its own, more exact id, unless it was split: then its parts
are candidates. Ids and codes name one unit whatever became of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rapidfuzz import fuzz, process

from events.places.facts import LADDER, WITHIN_COMMUNE, UnitKind
from events.places.gazetteer import Gazetteer, Share
from events.places.names import fold

_NEAR_ENOUGH = 70
"""Of 100; one wrong letter in a name of four is 75."""
_MOST_NEAR = 5


class How(StrEnum):
    """How the words met a unit, surest first; an alias also says its kind."""

    ID = "id"
    CODE = "code"
    NAME = "name"
    ALIAS = "alias"
    PART = "part"
    NEAR = "near"


class Why(StrEnum):
    """Why a person must choose."""

    SEVERAL = "several places bear this name"
    SPLIT = "this commune was split; say in which part it happened, or choose the old commune if that is not known"
    ELSEWHERE = "this name is known, but not of this kind or in this area"
    NOT_YET = "this name belongs to a division that is not in force"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit with what a person needs to tell it from others of its name.

    `inside` are the names of the units around it, nearest first; `divisions` the keys of those it is in force in;
    `now` where its ground is counted in the division asked about, when it is not in force there.
    """

    unit_id: str
    name: str
    kind: UnitKind
    matched: str
    how: How
    alias_kind: str | None
    inside: tuple[str, ...]
    divisions: tuple[str, ...]
    in_force: bool
    now: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The words mean this unit."""

    unit: Candidate


@dataclass(frozen=True, slots=True)
class Candidates:
    """The words may mean any of these: ask which."""

    units: tuple[Candidate, ...]
    why: Why


@dataclass(frozen=True, slots=True)
class NotFound:
    """No unit bears these words; `near` bear similar ones."""

    near: tuple[Candidate, ...]


Answer = Found | Candidates | NotFound


@dataclass(frozen=True, slots=True)
class _Hit:
    unit_id: str
    matched: str
    how: How
    alias_kind: str | None = None


class Directory:
    """The names of one gazetteer, folded once for many questions."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer

    def look_up(
        self, words: str, *, kind: UnitKind | None = None, within: str | None = None, division: str | None = None
    ) -> Answer:
        """Say which unit the words mean in a division (the one in force unless named), narrowed where asked.

        Accents, case, apostrophes, hyphens and spaces are ignored. Raises NoSuchUnit or NoSuchDivision for a
        narrowing that the gazetteer does not have.
        """
        asked = _Question(self.gazetteer, kind, within, division or self.gazetteer.division)
        hits = self._hits(words)
        if not hits:
            return NotFound(self._near(words, asked))
        narrowed = [hit for hit in hits if asked.admits(hit.unit_id)]
        if not narrowed:
            return asked.choose(hits, Why.ELSEWHERE)
        come = [hit for hit in narrowed if asked.has_come(hit.unit_id)]
        if not come:
            return asked.choose(narrowed, Why.NOT_YET)
        if surer := asked.surer(hits, come):
            return asked.choose([*surer, *come], Why.SEVERAL)
        if (meant := asked.meant(come)) is None:
            return asked.choose(come, Why.SEVERAL)
        if meant.how not in (How.ID, How.CODE) and len(asked.now(meant.unit_id)) > 1:
            return asked.choose([*asked.parts(meant.unit_id), meant], Why.SPLIT)
        return Found(asked.candidate(meant))

    def _hits(self, words: str) -> list[_Hit]:
        """Return each unit that bears the words once, by the surest way."""
        found: dict[str, _Hit] = {}
        if (as_id := words.strip()) in self.gazetteer.units:
            found[as_id] = _Hit(as_id, as_id, How.ID)
        for hit in self._borne.get(fold(words), ()):
            found.setdefault(hit.unit_id, hit)
        return list(found.values())

    def _near(self, words: str, asked: _Question) -> tuple[Candidate, ...]:
        folded = fold(words)
        if not folded:
            return ()
        scored = process.extract(folded, self._names, scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH, limit=None)
        alike = [hit for name, _, _ in sorted(scored, key=lambda row: (-row[1], row[0])) for hit in self._borne[name]]
        near: dict[str, _Hit] = {}
        for hit in alike:
            near.setdefault(hit.unit_id, _Hit(hit.unit_id, hit.matched, How.NEAR, hit.alias_kind))
        inside = [hit for hit in near.values() if asked.admits(hit.unit_id) and asked.has_come(hit.unit_id)]
        return tuple(asked.candidate(hit) for hit in (inside or list(near.values()))[:_MOST_NEAR])

    @cached_property
    def _borne(self) -> Mapping[str, list[_Hit]]:
        borne: dict[str, list[_Hit]] = {}
        for name, hit in sorted(self._everything(), key=lambda row: (list(How).index(row[1].how), row[1].unit_id)):
            borne.setdefault(name, []).append(hit)
        return borne

    @cached_property
    def _names(self) -> list[str]:
        """What near names are sought among: not codes, since a near code is another place."""
        return sorted(name for name, hits in self._borne.items() if any(hit.how is not How.CODE for hit in hits))

    def _everything(self) -> Iterator[tuple[str, _Hit]]:
        for unit in self.gazetteer.facts.units:
            yield fold(unit.name), _Hit(unit.unit_id, unit.name, How.NAME)
            for code in unit.codes:
                yield fold(code), _Hit(unit.unit_id, code, How.CODE)
        for alias in self.gazetteer.facts.aliases:
            yield fold(alias.alias), _Hit(alias.unit_id, alias.alias, How.ALIAS, alias.kind.shown)


class _Question:
    """The narrowing of one question, and what a unit is in its light."""

    def __init__(self, gazetteer: Gazetteer, kind: UnitKind | None, within: str | None, division: str) -> None:
        self._gazetteer = gazetteer
        self._kind = kind
        self._within = gazetteer.unit(within).unit_id if within is not None else None
        self._division = division
        self._place = gazetteer.place(division)

    def admits(self, unit_id: str) -> bool:
        """Say whether a unit passes the narrowing."""
        kind = self._gazetteer.units[unit_id].kind
        return (self._kind is None or kind is self._kind) and self._in_area(unit_id)

    def _in_area(self, unit_id: str) -> bool:
        """Say whether a unit lies in the area under any division, or partly lies there by now."""
        if (area := self._within) is None:
            return True
        lies_in = self._gazetteer.lies_in
        return any(lies_in(unit_id, area, row.division) for row in self._gazetteer.divisions) or any(
            lies_in(share.unit_id, area, self._division) for share in self.now(unit_id)
        )

    def surer(self, hits: list[_Hit], admitted: list[_Hit]) -> list[_Hit]:
        """Return units of another kind whose own name the words are, where those admitted only have it as an alias.

        Who asks for a commune Cibitoke may mean the province of that name, not the commune with a quarter Cibitoke.
        """
        if any(hit.how is not How.ALIAS for hit in admitted):
            return []
        others = (hit for hit in hits if hit not in admitted and hit.how is not How.ALIAS)
        return [hit for hit in others if self.has_come(hit.unit_id) and self._in_area(hit.unit_id)]

    def has_come(self, unit_id: str) -> bool:
        """Say whether a unit is in force in the division asked about, or was before."""
        return self._gazetteer.place(self._gazetteer.divisions_of(unit_id)[0]) <= self._place

    def meant(self, hits: list[_Hit]) -> _Hit | None:
        """Return the one unit that several hits mean, or None where a person must choose."""
        if len(hits) == 1:
            return hits[0]
        current = [hit for hit in hits if self._gazetteer.is_in_force(hit.unit_id, self._division)]
        if len(current) != 1:
            return None
        older = (hit.unit_id for hit in hits if hit is not current[0])
        return current[0] if all(self._became(unit_id, current[0].unit_id) for unit_id in older) else None

    def _became(self, older: str, newer: str) -> bool:
        """Say whether all ground of an older unit lies in a newer one of its kind."""
        units, ground = self._gazetteer.units, self._ground(older)
        return (
            units[older].kind is units[newer].kind
            and len(ground) > 0
            and all(self._gazetteer.lies_in(commune, newer, self._division) for commune in ground)
        )

    def _ground(self, unit_id: str) -> list[str]:
        """Return the communes of the division asked about that an older unit has ground in."""
        gazetteer = self._gazetteer
        last = [key for key in gazetteer.divisions_of(unit_id) if gazetteer.place(key) <= self._place][-1]
        if gazetteer.units[unit_id].kind in WITHIN_COMMUNE:
            held = [gazetteer.row_at(unit_id, last)]
        else:
            communes = gazetteer.in_force(last, UnitKind.COMMUNE)
            held = [unit.unit_id for unit in communes if gazetteer.lies_in(unit.unit_id, unit_id, last)]
        return [share.unit_id for commune in held for share in gazetteer.successors(commune, self._division)]

    def now(self, unit_id: str) -> tuple[Share, ...]:
        """Return where a unit out of force is counted: a commune's shares, a zone's or hill's commune."""
        gazetteer = self._gazetteer
        if gazetteer.is_in_force(unit_id, self._division) or gazetteer.units[unit_id].kind not in WITHIN_COMMUNE:
            return ()
        if gazetteer.units[unit_id].kind is UnitKind.COMMUNE:
            return gazetteer.successors(unit_id, self._division)
        commune = gazetteer.commune_at(unit_id, self._division)
        return () if commune is None else (Share(commune, 1000),)

    def parts(self, unit_id: str) -> list[_Hit]:
        return [_Hit(share.unit_id, self._gazetteer.units[share.unit_id].name, How.PART) for share in self.now(unit_id)]

    def choose(self, hits: list[_Hit], why: Why) -> Candidates:
        """Offer units: those in force first, wide before narrow; the parts of a split commune stay in their order."""
        if why is not Why.SPLIT:
            hits = sorted(hits, key=self._rank)
        return Candidates(tuple(self.candidate(hit) for hit in hits), why)

    def _rank(self, hit: _Hit) -> tuple[bool, int, str]:
        kind = self._gazetteer.units[hit.unit_id].kind
        rung = LADDER.index(kind) if kind in LADDER else len(LADDER)
        return (not self._gazetteer.is_in_force(hit.unit_id, self._division), rung, hit.unit_id)

    def candidate(self, hit: _Hit) -> Candidate:
        gazetteer = self._gazetteer
        unit = gazetteer.units[hit.unit_id]
        divisions = gazetteer.divisions_of(hit.unit_id)
        seen_in = self._division if self._division in divisions else divisions[-1]
        return Candidate(
            unit_id=unit.unit_id,
            name=unit.name,
            kind=unit.kind,
            matched=hit.matched,
            how=hit.how,
            alias_kind=hit.alias_kind,
            inside=tuple(gazetteer.units[above].name for above in gazetteer.ancestors(hit.unit_id, seen_in)),
            divisions=divisions,
            in_force=gazetteer.is_in_force(hit.unit_id, self._division),
            now=self.now(hit.unit_id),
        )
