"""A correction that was held while nobody watched is found from what took something back then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.ledger.ledger import Recorded
from services.trace.corrected_later import came_with_a_sign, corrected_later
from services.trace.events import LEVEL, Told
from services.trace.tracing import Tracing
from tests.support.levels import Log, stood
from tests.support.traced import NO_BYTES, ReaderOfALog


def read(log: Log) -> ReaderOfALog:
    """Reads what a log and the level's fold say."""
    return ReaderOfALog(sorted([*told(log), *levels(log)], key=lambda one: one.row.position))


def told(log: Log) -> list[Told]:
    """Events at every tenth position."""
    return [_told(10 * one.position, one.stream, one.type, one.home, one.time, one.data) for one in log.events]


def levels(log: Log) -> list[Told]:
    """The changes of the level, each behind what was recorded before it."""
    found = []
    for one in stood(log).derived:
        if one.stream.startswith("level/"):
            before = max(event.position for event in log.events if event.time <= one.due)
            found.append(_told(10 * before + 5, one.stream, LEVEL, one.home, one.due, one.data.wire_data()))
    return found


def _told(position: int, stream: str, type_: str, home: str, time: str, data: Mapping[str, Any]) -> Told:
    at, command = datetime.fromisoformat(time), UUID(int=0)
    row = Recorded(position, stream, 1, UUID(int=position), type_, home, at, command, NO_BYTES, NO_BYTES)
    return Told(row, data)


def of_type(log: Log, type_: str) -> Told:
    return next(one for one in told(log) if one.row.type == type_)


def watched() -> Log:
    return Log().rules().engine().assigned("a").opened("a", reports=("r",)).assessed("a")


def test_a_withdrawal_that_was_held_led_to_the_fall_with_the_next_sign_of_life() -> None:
    log = watched().days(10).withdrawn("r").days(5).checked_in("a")
    later = corrected_later(of_type(log, "report.withdrawn"), levels(log))
    assert later is not None
    assert (later.data["from"], later.data["to"], later.moment) == (3, 0, told(log)[-1].moment)
    assert came_with_a_sign([one for one in told(log) if one.moment == later.moment])


def test_a_withdrawal_that_lowers_at_once_led_to_nothing_later() -> None:
    log = watched().after(days=1).withdrawn("r").after(days=1)
    log.opened("b", reports=("s",)).assessed("b").after(days=1).withdrawn("s")
    assert corrected_later(of_type(log, "report.withdrawn"), levels(log)) is None


def test_a_fall_by_another_withdrawal_is_no_correction_that_was_held() -> None:
    log = watched().opened("b", reports=("s",)).assessed("b", "minor").after(days=1).withdrawn("s").after(days=1)
    log.withdrawn("r")
    fall = corrected_later(of_type(log, "report.withdrawn"), levels(log))
    assert fall is not None
    assert not came_with_a_sign([one for one in told(log) if one.moment == fall.moment])


def test_what_takes_nothing_back_is_corrected_by_nothing() -> None:
    log = watched().days(10).withdrawn("r").checked_in("a")
    assert corrected_later(of_type(log, "case.opened"), levels(log)) is None


async def test_a_trace_lists_the_correction_that_was_held() -> None:
    log = watched().days(10).withdrawn("r").days(5).checked_in("a")
    withdrawn = of_type(log, "report.withdrawn")
    trace = await Tracing(read(log), 1).trace(withdrawn.row.position)
    [later] = trace.led_to.events["level_changes"]
    assert (later.told.data["to"], later.told.data["cause"]) == (0, "retraction")
    assert later.through == (str(withdrawn.row.event_id),)
    assert [*(await Tracing(read(log), 1).trace(later.told.row.position)).rests_on] == []


async def test_a_trace_of_what_was_withdrawn_of_another_case_lists_nothing_of_it() -> None:
    log = watched().opened("b", unit="commune:muhanga", reports=("s",)).days(10).withdrawn("s").withdrawn("r")
    log.days(5).checked_in("a")
    of_b = next(one for one in told(log) if one.row.type == "report.withdrawn")
    led_to = (await Tracing(read(log), 1).trace(of_b.row.position)).led_to.events["level_changes"]
    assert {one.told.record_id for one in led_to} == {"commune:muhanga"}
