"""What the cases of a home stand on: ground of their own, and that of every case merged into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from projections.alert_level.case import Case
from projections.alert_level.laid_by import LaidBy


class Ground:
    """Knows which cases are merged into which; a circle of them, which no door lets in, has an end here as well."""

    __slots__ = ("_absorbed", "_cases", "_laid_by")

    def __init__(self, cases: Mapping[str, Case], laid_by: LaidBy) -> None:
        self._cases = cases
        self._laid_by = laid_by
        self._absorbed: dict[str, list[str]] = {}
        """Of cases that are not laid by: what is merged into whom."""

    def merge(self, case: Case) -> None:
        """From now on a case is merged as it says, if it is."""
        if case.into is not None:
            self._absorbed.setdefault(case.into, []).append(case.case_id)

    def part(self, case_id: str, into: str | None) -> None:
        """A case is not merged into this one any more, or it is laid by."""
        if into is not None:
            self._absorbed[into].remove(case_id)
            if not self._absorbed[into]:
                del self._absorbed[into]

    def above(self, into: str | None) -> list[Case]:
        """Of the cases that stand for one that is merged into this one, those that are not laid by."""
        found = []
        seen = set()
        while into is not None and into not in seen:
            seen.add(into)
            case = self._cases.get(into)
            if case is None:
                into = self._laid_by.into(into)
            else:
                found.append(case)
                into = case.into
        return found

    def find(self, cases: Iterable[Case]) -> list[Case]:
        """Find out which of these stand on nothing; returns those for which that is otherwise than it was."""
        turned = []
        for case in cases:
            unfounded = case.lost and not self._stands_on_others(case.case_id)
            if unfounded != case.unfounded:
                case.unfounded = unfounded
                turned.append(case)
        return turned

    def _stands_on_others(self, case_id: str) -> bool:
        seen = {case_id}
        waiting = [case_id]
        while waiting:
            into = waiting.pop()
            absorbed = [(one, self._cases[one].lost) for one in self._absorbed.get(into, ())]
            for one, lost in (*absorbed, *self._laid_by.absorbed(into)):
                if not lost:
                    return True
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
        return False
