"""Random countries for property tests: a few communes that divisions split, join and keep, with names that collide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hypothesis import strategies as st

from events.places.facts import (
    Alias,
    AliasKind,
    Confidence,
    Division,
    Facts,
    Parent,
    Succession,
    Unit,
    UnitKind,
)

SOURCES = ("made-up",)
_NAMES = st.text(alphabet="abé", min_size=1, max_size=2)


@dataclass(frozen=True)
class Step:
    """What became of the communes when a division came: for each older commune, the shares of its successors."""

    shares: dict[str, dict[str, int]]

    @property
    def communes(self) -> set[str]:
        return {newer for parts in self.shares.values() for newer in parts}


@st.composite
def steps(draw: st.DrawFn, index: int, older: list[str]) -> Step:
    """Draw a next division: every older commune continues as it is, or goes to one to three new ones."""
    pool = [f"xx:c{index}:{n}" for n in range(draw(st.integers(1, max(1, len(older)))))]
    shares: dict[str, dict[str, int]] = {}
    for commune in older:
        if draw(st.booleans()):
            shares[commune] = {commune: 1000}
            continue
        heirs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))
        cuts = sorted(
            draw(st.lists(st.integers(1, 999), min_size=len(heirs) - 1, max_size=len(heirs) - 1, unique=True))
        )
        shares[commune] = {heir: high - low for heir, low, high in zip(heirs, [0, *cuts], [*cuts, 1000], strict=True)}
    return Step(shares)


@st.composite
def histories(draw: st.DrawFn, longest: int = 4) -> list[Step]:
    """Draw divisions, oldest first; in the first every commune is made of itself."""
    first = [f"xx:c0:{n}" for n in range(draw(st.integers(1, 5)))]
    drawn = [Step({commune: {commune: 1000} for commune in first})]
    for index in range(1, draw(st.integers(1, longest))):
        drawn.append(draw(steps(index, sorted(drawn[-1].communes))))
    return drawn


@st.composite
def countries(draw: st.DrawFn, history: list[Step] | None = None) -> Facts:
    """Draw the facts of a country with this history, or any."""
    history = draw(histories()) if history is None else history
    keys = [f"d{index}" for index in range(len(history))]
    communes = sorted(set().union(*(step.communes for step in history)))
    provinces = ["xx:p:east", "xx:p:west"]
    units = [
        Unit(unit_id="xx", kind=UnitKind.COUNTRY, name="Xx", sources=SOURCES),
        Unit(unit_id="unplaced", kind=UnitKind.UNPLACED, name="Not known", sources=SOURCES),
        *(Unit(unit_id=p, kind=UnitKind.PROVINCE, name=draw(_NAMES), sources=SOURCES) for p in provinces),
        *(Unit(unit_id=c, kind=UnitKind.COMMUNE, name=draw(_NAMES), sources=SOURCES) for c in communes),
    ]
    parents = [Parent(division=key, unit_id=p, parent_id="xx", sources=SOURCES) for key in keys for p in provinces]
    for key, step in zip(keys, history, strict=True):
        for commune in sorted(step.communes):
            province = draw(st.sampled_from(provinces))
            parents.append(Parent(division=key, unit_id=commune, parent_id=province, sources=SOURCES))
        for commune in draw(st.lists(st.sampled_from(sorted(step.communes)), max_size=2, unique=True)):
            zone = f"xx:z:{key}.{commune.rpartition(':')[2]}.{commune.split(':')[1]}"
            units.append(Unit(unit_id=zone, kind=UnitKind.ZONE, name=draw(_NAMES), sources=SOURCES))
            parents.append(Parent(division=key, unit_id=zone, parent_id=commune, sources=SOURCES))
    aliased = draw(st.lists(st.sampled_from(communes), max_size=3, unique=True))
    return Facts(
        gazetteer_id="xx",
        name="Xx",
        edition=1,
        sources={"made-up": "Drawn for a test"},
        divisions=tuple(
            Division(division=key, name=key, valid_from=date(2010 + n, 1, 1), sources=SOURCES)
            for n, key in enumerate(keys)
        ),
        units=tuple(units),
        parents=tuple(parents),
        aliases=tuple(Alias(unit_id=c, alias=draw(_NAMES), kind=AliasKind.SPELLING, sources=SOURCES) for c in aliased),
        successions=tuple(
            Succession(
                division=key,
                from_id=older,
                to_id=newer,
                share_permille=permille,
                confidence=Confidence.HIGH,
                sources=SOURCES,
            )
            for key, step in zip(keys[1:], history[1:], strict=True)
            for older, parts in step.shares.items()
            for newer, permille in parts.items()
            if older != newer
        ),
    )


def groups(history: list[Step]) -> set[frozenset[str]]:
    """The connected groups of communes, by the slowest way there is: join what shares a member until nothing does."""
    found = [frozenset({older, newer}) for step in history for older, parts in step.shares.items() for newer in parts]
    while True:
        for one in found:
            touching = [other for other in found if one & other]
            if len(touching) > 1:
                found = [*(other for other in found if not one & other), frozenset().union(*touching)]
                break
        else:
            return set(found)
