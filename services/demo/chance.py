"""Draws that follow from a seed and a question: the same in every run, on every machine.

Each question has its own draw, so that asking another one, or leaving an entry out, changes no other answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chance:
    """Answers questions about one thing, which `about` names."""

    seed: int
    about: str = ""

    def of(self, *about: object) -> Chance:
        """The chance of something that belongs to this."""
        return Chance(self.seed, "/".join([self.about, *map(str, about)]))

    def below(self, number: int, *question: object) -> int:
        """A whole number from 0 up to, and without, this one."""
        text = "/".join([str(self.seed), self.about, *map(str, question)])
        return int.from_bytes(sha256(text.encode()).digest()[:8]) % number

    def falls(self, permille: int, *question: object) -> bool:
        """Whether something happens that does so in this share of cases."""
        return self.below(1000, *question) < permille

    def between(self, least: int, most: int, *question: object) -> int:
        """A whole number from `least` to `most`, both possible."""
        return least + self.below(most - least + 1, *question)

    def one(self, things: Sequence[T], *question: object) -> T:
        """One of these."""
        return things[self.below(len(things), *question)]

    def some(self, things: Sequence[T], number: int, *question: object) -> list[T]:
        """So many of these, each once, in their order."""
        ranked = sorted(range(len(things)), key=lambda index: (self.below(2**62, *question, index), index))
        return [things[index] for index in sorted(ranked[:number])]

    def weighed(self, weights: Mapping[T, int], *question: object) -> T:
        """One of these, the heavier the likelier."""
        drawn = self.below(sum(weights.values()), *question)
        for thing, weight in weights.items():
            if drawn < weight:
                return thing
            drawn -= weight
        raise AssertionError("unreachable: the weights add up to more than what was drawn")
