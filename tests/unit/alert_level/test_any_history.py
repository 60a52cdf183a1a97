"""Over any history: what was said can be computed again, alerts form chains, and looking oftener changes nothing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hypothesis import given
from orjson import loads

from events.alert import AlertChange, AlertIssued
from events.level import LevelChanged
from events.vocabulary import wire_time
from projections.alert_level import PROJECTION
from projections.alert_level.recompute import recompute
from projections.alert_level.rules import Rules
from projections.projection import Derived, derived_id
from projections.taken import Taken
from services.words.languages import language
from services.words.level import explain_change
from tests.support.examples import examples
from tests.support.level_histories import BLIND_TO_SILENCE, OTHER_RULES, History, histories
from tests.support.levels import FIRST_RULES
from tests.support.projected import folded
from tests.unit.alert_level.second_engine import WITH_A_SECOND

RULES = {rules.hash: rules for rules in map(Rules, (FIRST_RULES, OTHER_RULES, BLIND_TO_SILENCE))}

ENGLISH = language("en")


@examples(60)
@given(histories(engines=(1, 2)))
def test_a_level_is_computed_again_from_what_its_change_lists(history: History) -> None:
    for event in _levels(folded(WITH_A_SECOND, history)[1]):
        rules = RULES[event.rules_hash]
        assert recompute(event, rules) == (event.points, event.after)
        assert explain_change(event, rules, "Aro", ENGLISH)[0].startswith("Aro ")


@examples(60)
@given(histories(engines=(1, 2)))
def test_what_is_said_of_a_unit_is_a_chain(history: History) -> None:
    levels: dict[str, int] = {}
    standing: dict[str, UUID | None] = {}
    seeds = set()
    for one in folded(WITH_A_SECOND, history)[1]:
        assert one.seed not in seeds
        seeds.add(one.seed)
        match one.data:
            case LevelChanged() as event:
                assert event.before == levels.get(event.unit, 0) != event.after
                levels[event.unit] = event.after
            case AlertIssued() as alert:
                assert alert.updates is None or alert.cancels is None
                assert (alert.updates or alert.cancels) == standing.get(alert.unit)
                least = RULES[alert.rules_hash].set.alerts.from_level
                standing[alert.unit] = derived_id(one.seed) if alert.after >= least else None
                if alert.change == AlertChange.CANCELLED:
                    assert standing[alert.unit] is None


@examples(40)
@given(histories())
def test_a_line_of_the_history_is_the_event_that_would_say_it(history: History) -> None:
    page, _ = folded(PROJECTION, history)
    for *_, before, after, cause, at, explanation in page.rows.get("history", ()):
        event = LevelChanged.model_validate_json(explanation)
        assert event.wire_data() == loads(explanation)
        assert (event.before, event.after, event.cause, wire_time(event.effective_at)) == (before, after, cause, at)


@examples(40)
@given(histories())
def test_ticks_in_between_change_nothing(history: History) -> None:
    seldom, often = folded(PROJECTION, history), folded(PROJECTION, _ticked(history))
    assert _last(seldom[0].rows) == _last(often[0].rows)
    assert _sorted(seldom[1]) == _sorted(often[1])


def _levels(derived: list[Derived]) -> list[LevelChanged]:
    return [one.data for one in derived if isinstance(one.data, LevelChanged)]


def _sorted(derived: list[Derived]) -> list[Derived]:
    return sorted(derived, key=lambda one: one.order)


def _last(rows: dict[str, list[tuple[object, ...]]]) -> dict[tuple[object, ...], tuple[object, ...]]:
    """What stands in the tables in the end: cases, units, what was said, and the history."""
    keys = {"case": 2, "unit": 2, "said": 1, "history": 3}
    return {(name, *row[: keys[name]]): row for name in keys for row in rows.get(name, ())}


def _ticked(history: History) -> list[Taken]:
    """The same log with five ticks between any two events, at positions that are there already."""
    told: list[Taken] = []
    for event in history:
        if told:
            begins, ends = datetime.fromisoformat(told[-1].time), datetime.fromisoformat(event.time)
            told += [_tick(event.position, wire_time(begins + (ends - begins) * part / 6)) for part in range(1, 6)]
        told.append(event)
    return told


def _tick(position: int, at: str) -> Taken:
    data = {"nominal": at, "reason": "hour"}
    return Taken(position, at, "reference/clock", 1, "clock.ticked", "*", "actual", "system", "", data)
