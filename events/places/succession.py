"""Which commune became which: shares in exact fractions, from one division to the next and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from events.places.facts import WHOLE, Succession


class Steps:
    """The steps between neighbouring divisions, oldest first; `in_force[i]` are the communes of the i-th."""

    def __init__(
        self, divisions: Sequence[str], in_force: Sequence[frozenset[str]], successions: Sequence[Succession]
    ) -> None:
        self._in_force = in_force
        self._onward: list[dict[str, dict[str, Fraction]]] = [{} for _ in divisions]
        place = {division: index for index, division in enumerate(divisions)}
        for row in successions:
            shares = self._onward[place[row.division]].setdefault(row.from_id, {})
            shares[row.to_id] = Fraction(row.share_permille, WHOLE)
        for index in range(1, len(divisions)):
            for commune in in_force[index - 1] & in_force[index]:
                self._onward[index].setdefault(commune, {commune: Fraction(1)})
        self._back = [_turned(onward) for onward in self._onward]

    def onward(self, commune: str, since: int, until: int) -> Mapping[str, Fraction]:
        """Return where a commune of the division `since` went by `until`, with shares that sum to one."""
        shares = {commune: Fraction(1)}
        for index in range(since + 1, until + 1):
            following: dict[str, Fraction] = {}
            for here, share in shares.items():
                for there, part in self._onward[index].get(here, {}).items():
                    following[there] = following.get(there, Fraction(0)) + share * part
            shares = following
        return shares

    def likeliest(self, commune: str, since: int, until: int) -> str | None:
        """Follow the largest share at every step, the first id among equals, however many steps are taken at once."""
        here: str | None = commune
        for index in range(since + 1, until + 1):
            shares = self._onward[index].get(here or "", {})
            here = min(shares, key=lambda there: (-shares[there], there)) if shares else None
        return here

    def back(self, commune: str, since: int, until: int) -> frozenset[str]:
        """Return the communes of the older division `until` that a commune of `since` was made of."""
        communes = frozenset({commune})
        for index in range(since, until, -1):
            communes = frozenset(older for here in communes for older in self._back[index].get(here, ()))
        return communes


def _turned(onward: Mapping[str, Mapping[str, Fraction]]) -> dict[str, set[str]]:
    back: dict[str, set[str]] = {}
    for older, shares in onward.items():
        for newer in shares:
            back.setdefault(newer, set()).add(older)
    return back


def in_permille(shares: Mapping[str, Fraction]) -> dict[str, int]:
    """Round shares to whole permille that sum to 1000: each is cut, the largest remainders get what is missing.

    Among equal remainders the first id gets it. Shares that sum to one are expected.
    """
    cut = {unit_id: int(share * WHOLE) for unit_id, share in shares.items()}
    missing = WHOLE - sum(cut.values())
    by_remainder = sorted(shares, key=lambda unit_id: (cut[unit_id] - shares[unit_id] * WHOLE, unit_id))
    for unit_id in by_remainder[:missing]:
        cut[unit_id] += 1
    return cut
