"""What the checker finds announced of silences is what the projection tells; what is announced otherwise is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.alert import AlertChange, AlertSilenced, AlertSilenceEnded, SilenceReason
from events.reference import ClockTicked, TickReason
from events.vocabulary import Mode
from projections.projection import derived_id
from projections.silences import PROJECTION
from tests.faults.checker import silences
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.silences import Silences
from tests.support.domain import HOME, NOW, one
from tests.support.examples import examples
from tests.support.projected import folded
from tests.support.written import Written

UNITS = ("bi:c2015:gihanga", "bi:p2015:bubanza")
NAMES = tuple("abcdefgh")
ACTS = st.tuples(st.sampled_from(["begins", "ends", "tick"]), st.sampled_from(NAMES), st.integers(0, 20), st.booleans())


def silenced(name: str, until: datetime, *, raises: bool = False) -> AlertSilenced:
    return AlertSilenced(
        silence_id=one(name),
        unit=unit_of(name),
        unit_name="Gihanga",
        up_to_level=2,
        changes=(AlertChange.RAISED,) if raises else (),
        until=until,
        reason=SilenceReason.ANSWERED_ALREADY,
    )


def unit_of(name: str) -> str:
    return UNITS[NAMES.index(name) % 2]


def history(acts: list[tuple[str, str, int, bool]]) -> Written:
    """Each silence begins once; some are exercised, some ended twice or late, one is over before it is recorded."""
    log, begun = Written(), set[str]()
    for act, name, hours, other in acts:
        log.after(hours=hours)
        if act == "tick":
            log.write("reference/clock", ClockTicked(nominal=log.now, reason=TickReason.HOUR))
        elif act == "begins" and name not in begun:
            begun.add(name)
            until = log.now + timedelta(hours=-1 if name == "g" else 7)
            mode = Mode.EXERCISE if name == "h" else Mode.ACTUAL
            log.write(f"alert/{unit_of(name)}", silenced(name, until, raises=other), mode=mode)
        elif act == "ends":
            ended = AlertSilenceEnded(silence_id=one(name), unit=unit_of(name))
            log.write(f"alert/{unit_of(name)}", ended, mode=Mode.EXERCISE if name == "h" else Mode.ACTUAL)
    return log


def announced(log: Written) -> dict[str, tuple[str, str, int | None, dict[str, Any]]]:
    _, derived = folded(PROJECTION, log.events)
    return {str(derived_id(one.seed)): (one.stream, one.home, one.engine, one.data.wire_data()) for one in derived}


@examples(200)
@given(st.lists(ACTS, max_size=40))
def test_what_is_announced_in_any_history_is_what_the_projection_tells(acts: list[tuple[str, str, int, bool]]) -> None:
    log, found = history(acts), Silences()
    for event in log.events:
        found.take(event)
    assert {event_id: tuple(said) for event_id, said in found.said.items()} == announced(log)


def rows() -> list[Row]:
    """One that somebody ended, one that time did, and what was announced of both."""
    begins = [("begins", "a", 0, True), ("begins", "b", 1, False)]
    log = history([*begins, ("ends", "a", 2, False), ("tick", "a", 9, False)])
    those = [
        row(
            event.type, event.stream, event.home, NOW + timedelta(hours=hours), {"mode": event.mode, "data": event.data}
        )
        for event, hours in zip(log.events, (0, 1, 3, 12), strict=True)
    ]
    for event_id, (stream, home, engine, data) in announced(log).items():
        wire = {"mode": "actual", "engine": engine, "data": data}
        said = row(silences.ANNOUNCED, stream, home, NOW + timedelta(hours=12), wire)
        those.append(replace(said, event_id=event_id))
    return those


def row(kind: str, stream: str, home: str, at: datetime, wire: dict[str, Any]) -> Row:
    return Row(1, stream, 1, "", kind, home, at, "", b"", b"{}", wire)


def found_in(those: list[Row]) -> dict[str, int]:
    found = Findings()
    silences.judge(those, those, found)
    return found.counts


def test_what_was_announced_as_it_was_is_clean() -> None:
    assert len(those := rows()) == 8
    assert {row.home for row in those[:3]} == {HOME}
    assert found_in(those) == {}


def say_nothing_of_an_end(those: list[Row]) -> None:
    del those[-1]


def say_another_level(those: list[Row]) -> None:
    those[-1] = replace(those[-1], wire={**those[-1].wire, "data": {**those[-1].wire["data"], "up_to_level": 3}})


def say_it_of_another_unit(those: list[Row]) -> None:
    those[-1] = replace(those[-1], stream="alert/bi")


def end_one_that_stands(those: list[Row]) -> None:
    """As if the tick that says that its time is over were not there."""
    del those[3]


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (say_nothing_of_an_end, "silence_not_announced"),
        (say_another_level, "silence_differs"),
        (say_it_of_another_unit, "silence_differs"),
        (end_one_that_stands, "silence_of_nothing"),
    ],
)
def test_what_was_announced_otherwise_is_named(tamper: Callable[[list[Row]], None], code: str) -> None:
    those = rows()
    tamper(those)
    assert found_in(those) == {code: 1}
