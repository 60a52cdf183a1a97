"""What every decision on a case asks first: does it exist, is it merged away, does it still take this."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from events.case.refusals import (
    CaseIsClosed,
    CaseIsMerged,
    CaseNotRatifiedStands,
    NoCommitteeQuorum,
    NoSuchCase,
)
from events.case.state import Case, Stage
from events.command import Command
from events.event import Act
from events.refusals import BadInput
from events.vocabulary import Quorum


def opened(case: Case) -> None:
    """Refuse a case that was never opened. One merged away passes: its referrals and consents live on in its stream."""
    if case.stage == Stage.ABSENT:
        raise NoSuchCase()


def exists(case: Case) -> None:
    """Refuse a case that was never opened or was merged into another."""
    opened(case)
    if case.merged_into is not None:
        raise CaseIsMerged(into=case.merged_into)


def takes_work(case: Case) -> None:
    """Refuse a case whose work is over: closed or not ratified. A resolved one still takes work."""
    exists(case)
    if case.stage == Stage.CLOSED:
        raise CaseIsClosed()
    if case.stage == Stage.NOT_RATIFIED:
        raise CaseNotRatifiedStands()


def done_by_now(done_at: datetime | None, act: Act) -> None:
    """Refuse an act that is said to be done in the future."""
    if done_at is not None and done_at > act.at:
        raise BadInput.field("done_at", "a moment that has passed", "leave it out for now, or correct it")


def _each_once(members: tuple[UUID, ...]) -> tuple[UUID, ...]:
    if len(set(members)) != len(members):
        raise ValueError("each member once; leave the repeated one out")
    return members


Members = Annotated[tuple[UUID, ...], Field(max_length=200), AfterValidator(_each_once)]


class Vote(Command):
    """How the committee voted: pseudonyms of those for it, and of those who stood aside."""

    in_favour: Members
    recused: Members = ()

    @model_validator(mode="after")
    def _nobody_twice(self) -> Self:
        if set(self.in_favour) & set(self.recused):
            raise ValueError("nobody both in favour and recused; name each member once")
        return self

    def quorum(self, eligible: frozenset[UUID], required: int, *, dissenting: frozenset[UUID] = frozenset()) -> Quorum:
        """Count the vote; `eligible` members and the number `required` come from the rules in force."""
        voters = {"in_favour": self.in_favour, "recused": self.recused, "dissent": dissenting}
        for name, members in voters.items():
            if not eligible.issuperset(members):
                raise BadInput.field(name, "members of this committee", "leave out who is not eligible")
        if dissenting & {*self.in_favour, *self.recused}:
            raise BadInput.field("dissent", "members who are neither in favour nor recused", "name each member once")
        if len(self.in_favour) < max(required, 1):
            raise NoCommitteeQuorum(in_favour=len(self.in_favour), required=max(required, 1))
        return Quorum(
            eligible=len(eligible), recused=len(self.recused), required=required, in_favour=len(self.in_favour)
        )
