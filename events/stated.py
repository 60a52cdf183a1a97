"""What a person states of harm and dates, checked where somebody can still be asked."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from events.command import Command
from events.refusals import BadInput
from events.vocabulary import Channel, Count, Dated, Day, HarmKind, Stated, TimePrecision

AT_A_FORM = frozenset({Channel.FORM, Channel.IN_PERSON})
"""Channels where a person can be asked again at once. All others are messages, never refused for their dates."""


class HarmStated(Command):
    """A stated number of people or houses as a range: absent is not stated, 0 is none."""

    what: HarmKind
    min: Count | None = None
    max: Count | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min not above max; exchange the two")
        return self

    def stated(self) -> Stated:
        return Stated(what=self.what, min=self.min, max=self.max)


class When(Command):
    """From and to as dates, with the precision at which they are known."""

    starts: Day | None = Field(default=None, alias="from")
    ends: Day | None = Field(default=None, alias="to")
    precision: TimePrecision = TimePrecision.DAY

    def dated(self) -> Dated:
        return Dated(starts=self.starts, ends=self.ends, precision=self.precision)


def dates_of(name: str, when: When | None, channel: Channel, *, not_after: date | None) -> tuple[Dated | None, bool]:
    """Return the dates to record and whether the clock behind them is doubtful; refuses at a form."""
    if when is None:
        return None, False
    dated = when.dated()
    ahead = [end for end, day in (("from", dated.starts), ("to", dated.ends)) if day and not_after and day > not_after]
    if channel in AT_A_FORM:
        if dated.turned:
            raise BadInput.field(f"{name}.to", "a date not before `from`", "exchange the two dates")
        if ahead:
            mend = "use `expected` for what is still to come"
            raise BadInput.field(f"{name}.{ahead[0]}", "no date in the future", mend)
    return dated, dated.turned or bool(ahead)
