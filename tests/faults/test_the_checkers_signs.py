"""The checker judges held check-ins: one that is lost, doubled, another's, early or late is found; a run in order is
clean, and a strike excuses only the signs that it touched."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.checker import signs
from tests.faults.checker.findings import Findings, NotModelled
from tests.faults.checker.history import Fault, Past, Sent
from tests.faults.checker.ledger import Row

MIDNIGHT = datetime(2026, 5, 20, 22, tzinfo=UTC)
DAY = "2026-05-20"
MINUTE = timedelta(minutes=1)
HEAD = 2
"""Events of before the run."""


def a_check_in(n: int, person: str, well_before: int = 0, until: datetime = MIDNIGHT) -> Sent:
    body = {"on": DAY, "channel": "sms"}
    return Sent(n, f"key-{n}", person, signs.ADDRESS, body, until, accepted=[[]], well_before=well_before)


def an_enrolment(n: int, person: str, stream: str) -> Sent:
    body = {"who": {"phone": f"+257 {person}"}}
    return Sent(n, f"key-{n}", "coordinator", signs.ENROL, body, accepted=[[{"stream": stream}]])


def a_run(*given: Sent, ended_at: datetime = MIDNIGHT + 3 * MINUTE) -> Past:
    """Of a and b, who are enrolled as reporters 1 and 2."""
    enrolled = (an_enrolment(90, "a", "reporter/1"), an_enrolment(91, "b", "reporter/2"))
    return Past(
        head=HEAD,
        commands={one.n: one for one in (*enrolled, *given)},
        phones={"a": "+257 a", "b": "+257 b", "c": "+257 c"},
        ended=True,
        head_at_the_end=99,
        ended_at=ended_at,
    )


def a_sign(position: int, reporter: int, on: str = DAY, at: datetime = MIDNIGHT + timedelta(seconds=1)) -> Row:
    wire = {"data": {"on": on, "channel": "sms"}}
    return Row(
        position, f"reporter/{reporter}", 2, f"id-{position}", signs.SIGN, "home", at, f"at {at}", b"", b"{}", wire
    )


def something(position: int, at: datetime) -> Row:
    return replace(a_sign(position, 1, at=at), type="report.received", stream="report/1")


def held(*reporters: int) -> set[signs.Held]:
    return {(f"reporter/{one}", DAY, "sms") for one in reporters}


def found(rows: list[Row], past: Past, waiting: Set[signs.Held] = frozenset(), least: int = 0) -> set[str]:
    findings = Findings()
    signs.judge(rows, past, waiting, findings, least=least)
    return set(findings.counts)


@pytest.fixture
def past() -> Past:
    """Both gave one, and a the same once more."""
    return a_run(a_check_in(1, "a"), a_check_in(2, "b"), a_check_in(3, "a"))


def test_a_sign_of_each_who_gave_one_is_in_order(past: Past) -> None:
    assert found([a_sign(1, 9), a_sign(3, 1), a_sign(4, 2)], past) == set()


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([], {"sign_missing"}),
        ([a_sign(3, 1)], {"sign_missing"}),
        ([a_sign(3, 1), a_sign(4, 2), a_sign(5, 3)], {"sign_of_nobody"}),
        ([a_sign(3, 1), a_sign(4, 1), a_sign(5, 2)], {"sign_twice"}),
        # As many as were given, and yet one is lost and another doubled, or recorded as somebody else's.
        ([a_sign(3, 1), a_sign(4, 1)], {"sign_twice", "sign_missing"}),
        ([a_sign(3, 1), a_sign(4, 3)], {"sign_of_nobody", "sign_missing"}),
        ([a_sign(3, 2), a_sign(4, 1)], {"sign_order_tells"}),
        ([a_sign(3, 1, at=MIDNIGHT - MINUTE), a_sign(4, 2)], {"sign_early"}),
    ],
)
def test_what_is_wrong_is_found(past: Past, rows: list[Row], codes: set[str]) -> None:
    assert found(rows, past) == codes


def test_one_that_is_not_due_yet_is_held_until_then(past: Past) -> None:
    past.ended_at = MIDNIGHT
    assert found([], past, held(1, 2)) == set()
    assert found([], past, held(1)) == {"sign_missing"}
    assert found([], past, held(1, 2, 3)) == {"sign_of_nobody"}
    past.ended_at = MIDNIGHT + 3 * MINUTE
    assert found([], past, held(1, 2)) == {"sign_missing"}, "nobody waits for it any more"


def test_those_that_outlived_a_fault_are_counted(past: Past) -> None:
    past.ended_at = MIDNIGHT
    assert found([], past, held(1, 2), least=1) == {"too_few_signs"}, "nothing struck"
    past.faults = [Fault("kill_postgres", 2, well=4)]
    past.commands[2].well_before = 1
    assert found([], past, held(1, 2), least=1) == set()
    assert found([], past, held(1, 2), least=2) == {"too_few_signs"}
    assert found([a_sign(5, 1)], past, held(2), least=1) == set()
    assert found([], past, held(2), least=1) == {"sign_missing", "too_few_signs"}


def test_a_late_one_is_recorded_as_of_its_monday() -> None:
    late = a_check_in(1, "a", until=MIDNIGHT + timedelta(days=4))
    past = a_run(late, ended_at=MIDNIGHT + timedelta(days=5))
    on_time = MIDNIGHT + timedelta(days=4)
    assert found([a_sign(3, 1, "2026-05-18", on_time)], past) == set()
    assert found([a_sign(3, 1, "2026-05-18", on_time - MINUTE)], past) == {"sign_early"}
    assert found([], past) == {"sign_missing"}
    assert found([a_sign(3, 1, at=on_time)], past) == {"sign_missing", "sign_of_nobody"}


def test_what_is_said_again_on_the_next_day_while_the_first_is_held_is_one_sign() -> None:
    again = a_check_in(2, "a", until=MIDNIGHT + timedelta(days=4))
    past = a_run(a_check_in(1, "a"), again, ended_at=MIDNIGHT + timedelta(days=5))
    assert found([a_sign(3, 1)], past) == set()


def test_late_ones_of_two_days_of_a_week_are_one_sign_due_with_the_first_of_them() -> None:
    on_time, a_week_later = MIDNIGHT + timedelta(days=4), MIDNIGHT + timedelta(days=11)
    first = a_check_in(1, "a", until=on_time)
    second = replace(a_check_in(2, "a", until=a_week_later), body={"on": "2026-05-19", "channel": "sms"})
    past = a_run(first, second, ended_at=a_week_later + MINUTE)
    assert found([a_sign(3, 1, "2026-05-18", on_time)], past) == set()
    assert found([a_sign(3, 1, "2026-05-18", on_time - MINUTE)], past) == {"sign_early"}


def test_one_that_was_due_when_all_was_well_and_comes_after_it_is_late() -> None:
    past = a_run(a_check_in(1, "a"))
    past.faults = [Fault("kill_api", 2, well=4)]
    rows = [something(3, MIDNIGHT), something(4, MIDNIGHT + 2 * MINUTE)]
    assert found([*rows, a_sign(5, 1, at=MIDNIGHT + 3 * MINUTE)], past) == {"sign_late"}
    # While it struck nobody could record it, and right after its day's end it may be on its way.
    assert found([rows[0], a_sign(4, 1, at=MIDNIGHT + 3 * MINUTE)], past) == set()
    just_over = [something(3, MIDNIGHT), something(4, MIDNIGHT + MINUTE)]
    assert found([*just_over, a_sign(5, 1, at=MIDNIGHT + MINUTE)], past) == set()


@pytest.mark.parametrize("name", ["clock_forwards_three_hours_and_back", "clock_of_postgres_alone"])
def test_a_clock_that_was_turned_back_excuses_the_signs_whose_day_it_had_ended(name: str) -> None:
    past = a_run(a_check_in(1, "a"))
    past.faults = [Fault(name, 2, well=4)]
    rows = [something(3, MIDNIGHT - MINUTE), something(4, MIDNIGHT + 2 * MINUTE)]
    early, late = a_sign(5, 1, at=MIDNIGHT - MINUTE), a_sign(5, 1, at=MIDNIGHT + timedelta(days=1))
    assert found([*rows, early], past) == found([*rows, late], past) == set()
    past.commands[1].well_before = 1
    assert "sign_early" in found([*rows, early], past)
    assert found([*rows, late], past) == {"sign_late"}
    assert found(rows, past) == {"sign_missing"}, "turned back or not, its day is over now"


def test_a_key_that_was_destroyed_excuses_the_signs_that_were_sealed_under_it_by_then() -> None:
    past = a_run(a_check_in(1, "a"), a_check_in(2, "b"))
    past.faults, past.silenced = [Fault("keys_destroyed", 2, well=4)], {"a": [0]}
    assert found([a_sign(5, 2)], past) == set()
    assert found([a_sign(5, 1)], past) == {"sign_missing"}
    past.commands[3] = a_check_in(3, "a", well_before=1)
    assert found([a_sign(5, 2)], past) == {"sign_missing"}, "given again under a key that is in use"


def test_who_is_enrolled_as_nobody_knows_cannot_be_judged() -> None:
    with pytest.raises(NotModelled, match="c checked in"):
        found([], a_run(a_check_in(1, "c")))


def test_a_sign_that_was_given_a_year_ahead_comes_when_the_clock_is_turned_back() -> None:
    ahead = MIDNIGHT + timedelta(days=365)
    given = replace(a_check_in(1, "a", until=ahead), body={"on": "2027-05-20", "channel": "sms"})
    past = a_run(given)
    past.faults = [Fault("clock_forwards_a_year_and_back", 3, well=5)]
    rows = [something(3, MIDNIGHT - MINUTE), something(4, ahead - 60 * MINUTE)]
    early = a_sign(5, 1, "2027-05-20", at=ahead - 59 * MINUTE)
    assert found([*rows, early], past) == set()
    past.commands[1].well_before = 1  # all was well again when it was given
    assert found([*rows, early], past) == {"sign_early"}
    past.commands[1].well_before = 0
    past.faults = [Fault("clock_forwards_three_hours_and_back", 3, well=5)]
    near = [something(3, ahead - 180 * MINUTE), *rows[1:]]  # the clock was right about the day
    assert found([*near, early], past) == {"sign_early"}
    past.faults = [Fault("kill_api", 3, well=5)]
    assert found([*rows, early], past) == {"sign_early"}
