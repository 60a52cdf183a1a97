"""A moment of the log: a position, or an instant of recorded time, which means the last position recorded by then.

MomentRefused     it cannot be answered for this moment; `status` is the command line's
├── NotAMoment    neither a position nor an instant with its offset
├── BeforeTheLog  nothing was recorded by then
└── BeyondTheLog  what will be recorded by then is not known yet
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from events.vocabulary import wire_time
from services.local_problem import LocalProblem

LONGEST_POSITION = 15
EXPECTED = "a position on the log, or an instant with its offset from UTC like 2015-05-13T12:00:00+02:00"

Named: TypeAlias = int | datetime
"""A moment as somebody named it."""


class MomentRefused(LocalProblem):
    """It cannot be answered for this moment."""


class NotAMoment(MomentRefused):
    """Neither a position nor an instant."""

    status = 2

    def __init__(self, text: str) -> None:
        mend = "write its + as %2B, as an address wants it" if _lost_its_plus(text) else "correct it"
        super().__init__(f"{text[:60]!r} is no moment: expected {EXPECTED}; {mend}.")


class BeforeTheLog(MomentRefused):
    """Nothing was recorded by then."""

    status = 3

    def __init__(self, named: Named, first: Moment | None) -> None:
        begins = f"it begins with {first}" if first else "it is empty"
        super().__init__(f"{said(named)} is before the log: {begins}; name that or something later.")


class BeyondTheLog(MomentRefused):
    """What will be recorded by then is not known yet."""

    status = 4

    def __init__(self, named: Named, last: Moment | None) -> None:
        ends = f"it ends with {last}" if last else "it is empty"
        super().__init__(f"{said(named)} is beyond the log: {ends}; name that or something earlier.")


@dataclass(frozen=True, slots=True)
class Moment:
    """A position, and when that was recorded."""

    position: int
    recorded_at: datetime

    def __str__(self) -> str:
        return f"position {self.position}, recorded {wire_time(self.recorded_at)}"


def read_moment(text: str) -> Named:
    """What a text names; raises NotAMoment."""
    if text.isascii() and text.isdigit() and len(text) <= LONGEST_POSITION:
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise NotAMoment(text) from None
    if "T" not in text.upper() or instant.tzinfo is None:
        raise NotAMoment(text)
    try:
        wire_time(instant)
    except OverflowError:  # an instant of year 1 or 9999 that another zone's calendar does not have
        raise NotAMoment(text) from None
    return instant


def _lost_its_plus(text: str) -> bool:
    """Whether it is an instant once a space is the plus that it stands for in an address."""
    try:
        return " " in text and datetime.fromisoformat(text.replace(" ", "+")).tzinfo is not None
    except ValueError:
        return False


def refuse_outside(named: Named, first: Moment | None, last: Moment | None, now: datetime | None = None) -> None:
    """Raise BeforeTheLog or BeyondTheLog; where it is known what was recorded until `now`, instants up to it are in."""
    if first is None or last is None:
        raise BeyondTheLog(named, None)
    if isinstance(named, int):
        before, beyond = named < first.position, named > last.position
    else:
        before, beyond = named < first.recorded_at, named > max(last.recorded_at, now or last.recorded_at)
    if before:
        raise BeforeTheLog(named, first)
    if beyond:
        raise BeyondTheLog(named, last)


def said(named: Named) -> str:
    """A named moment in a sentence."""
    return f"Position {named}" if isinstance(named, int) else wire_time(named)
