"""What the cast has learnt from answers: which reports and cases there are, and roughly how they stand."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """A report that was accepted."""

    report_id: str
    unit: str | None
    by: str
    graded_by: set[str] = field(default_factory=set)
    case: str | None = None
    gone: bool = False


@dataclass(slots=True)
class Referral:
    """A referral and the next step that it waits for."""

    referral_id: str
    recipient: str
    step: str = "acknowledge"


@dataclass(slots=True)
class Case:
    """A case that was opened."""

    case_id: str
    unit: str
    provisional: bool
    reports: list[str] = field(default_factory=list)
    etag: str | None = None
    round: int = 1
    stage: str = "open"
    referrals: list[Referral] = field(default_factory=list)
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that was begun."""

    silence_id: str
    unit: str


@dataclass(slots=True)
class Known:
    """Shared by the whole cast."""

    people: dict[str, str]
    reports: list[Report] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    overridden: set[str] = field(default_factory=set)

    def report(self, dice: random.Random, wanted: Callable[[Report], bool]) -> Report | None:
        """One of the last reports of which this holds."""
        found = [one for one in self.reports[-200:] if not one.gone and wanted(one)]
        return dice.choice(found) if found else None

    def case(self, dice: random.Random, wanted: Callable[[Case], bool]) -> Case | None:
        """One of the last cases of which this holds."""
        found = [one for one in self.cases[-40:] if wanted(one)]
        return dice.choice(found) if found else None
