"""What the state machines share: one try, compared with what an independent model of sets and dicts predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any, TypeVar

from hypothesis import settings

from events.event import Event
from events.refusals import Refusal
from events.vocabulary import Actor
from tests.support.domain import INES, NOW, Given

S = TypeVar("S")

QUICK = settings(settings.get_profile("quick"), max_examples=250, stateful_step_count=50)
"""A few seconds a machine; `--hypothesis-profile=long` looks for as long as one likes."""


def budget() -> settings:
    """The quick budget, unless a profile was asked for by name."""
    asked = settings.get_current_profile_name()
    return settings(settings.get_profile(asked)) if asked == "long" else QUICK


def tried(
    state: S,
    evolve: Callable[[S, Any], S],
    decide: Callable[..., Sequence[Event]],
    command: Any,
    predicted: type[Refusal] | None,
    *,
    by: Actor = INES,
    at: datetime = NOW,
    **facts: Any,
) -> S:
    """Decide as predicted, accepted or refused by exactly this class; returns the state afterwards."""
    before = deepcopy(state)
    then = Given(state, evolve).when(decide, command, by=by, at=at, **facts)
    assert state == before, "a decision changed the state it looked at"
    if predicted is not None:
        then.refused(predicted)
        return state
    after = then.accepted()
    assert state == before, "evolving changed the state it began from"
    return after


def first(*refusals: tuple[bool, type[Refusal]]) -> type[Refusal] | None:
    """The first refusal whose condition holds."""
    return next((refusal for holds, refusal in refusals if holds), None)
