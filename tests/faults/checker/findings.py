"""What is wrong, each under a name that stays."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

MOST_OF_A_KIND = 5


@dataclass(frozen=True)
class Finding:
    """One thing that must not be; `position` is where it shows first, where it has a place."""

    code: str
    sentence: str
    position: int | None = None


@dataclass
class Findings:
    """All that was found; of one kind the first few are kept and the others counted."""

    kept: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, sentence: str, position: int | None = None) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MOST_OF_A_KIND:
            self.kept.append(Finding(code, sentence, position))

    def lines(self) -> list[str]:
        """One JSON object for each, and one that says how many there were of each kind."""
        found = [json.dumps(asdict(one)) for one in self.kept]
        return [*found, json.dumps({"counts": self.counts})] if found else []
