"""What is wrong, each under a name that stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

MOST_OF_A_KIND = 5


class NotModelled(Exception):
    """The product can do this, and the checker does not know what follows from it."""


@dataclass(frozen=True)
class Finding:
    """One thing that must not be; `position` is where it shows first, where it has a place."""

    code: str
    sentence: str
    position: int | None = None


@dataclass
class Findings:
    """All that was found; of one kind the first few are kept and the others counted.

    What could not be judged is neither a finding nor fine: a sentence for each says so.
    """

    kept: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    not_judged: list[str] = field(default_factory=list)

    def add(self, code: str, sentence: str, position: int | None = None) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MOST_OF_A_KIND:
            self.kept.append(Finding(code, sentence, position))

    @contextmanager
    def judging(self, what: str) -> Iterator[None]:
        """One part of it: where it breaks off, what was found before stays, and the rest goes on."""
        try:
            yield
        except NotModelled as error:
            self.not_judged.append(f"{what}: {error}, and what follows from that is not modelled here.")
        except Exception as error:
            self.not_judged.append(f"{what}: {type(error).__name__}: {error}")

    @property
    def status(self) -> int:
        """0 nothing was found, 1 something was, 2 nothing was and something could not be judged."""
        return 1 if self.counts else 2 if self.not_judged else 0

    def lines(self) -> list[str]:
        """One JSON object for each, and one that says how many there were of each kind."""
        found = [json.dumps(asdict(one)) for one in self.kept]
        return [*found, json.dumps({"counts": self.counts})] if found else []
