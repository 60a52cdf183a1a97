"""The checker counts held check-ins: one that is lost, doubled or given by nobody is found; a run in order is clean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.checker import signs
from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Fault, Past, Sent
from tests.faults.checker.ledger import Row

MIDNIGHT = datetime(2026, 5, 20, 22, tzinfo=UTC)
DAY = "2026-05-20"


def a_check_in(n: int, person: str) -> Sent:
    body = {"on": DAY, "channel": "sms"}
    return Sent(n, f"key-{n}", person, signs.ADDRESS, body, MIDNIGHT, accepted=[[]])


def a_sign(position: int, reporter: int) -> Row:
    wire = {"data": {"on": DAY, "channel": "sms"}}
    stream, at = f"reporter/{reporter}", MIDNIGHT + timedelta(seconds=1)
    return Row(position, stream, 2, f"id-{position}", signs.SIGN, "bi:home:1", at, "batch", b"", b"{}", wire)


def test_a_late_one_is_recorded_as_of_its_monday() -> None:
    late = replace(a_check_in(1, "a"), held_until=MIDNIGHT + timedelta(days=4))
    past = Past(head=2, commands={1: late}, ended=True, head_at_the_end=9, ended_at=MIDNIGHT + timedelta(days=5))
    row = replace(a_sign(3, 1), wire={"data": {"on": "2026-05-18", "channel": "sms"}})
    assert found([row], past) == set()
    assert found([], past) == {"sign_missing"}
    assert found([a_sign(3, 1)], past) == {"sign_missing", "sign_of_nobody"}


@pytest.fixture
def past() -> Past:
    """Two people gave one, one of them twice; one is over another day."""
    commands = {one.n: one for one in (a_check_in(1, "a"), a_check_in(2, "b"), a_check_in(3, "a"))}
    return Past(head=2, commands=commands, ended=True, head_at_the_end=9, ended_at=MIDNIGHT + timedelta(minutes=3))


def found(rows: list[Row], past: Past) -> set[str]:
    findings = Findings()
    signs.judge(rows, past, findings)
    return set(findings.counts)


def test_a_sign_of_each_who_gave_one_is_in_order(past: Past) -> None:
    assert found([a_sign(1, 9), a_sign(3, 1), a_sign(4, 2)], past) == set()


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([a_sign(3, 1)], "sign_missing"),
        ([], "sign_missing"),
        ([a_sign(3, 1), a_sign(4, 2), a_sign(5, 3)], "sign_of_nobody"),
        ([a_sign(3, 1), a_sign(4, 1)], "sign_twice"),
    ],
)
def test_what_is_wrong_is_found(past: Past, rows: list[Row], code: str) -> None:
    assert found(rows, past) == {code}


def not_over_yet(past: Past) -> None:
    past.ended_at = MIDNIGHT


def held_back_by_a_clock(past: Past) -> None:
    past.faults.append(Fault("clock_forwards_a_year_and_back", 1))


def gone_with_a_key(past: Past) -> None:
    past.faults.append(Fault("keys_destroyed", 1))


@pytest.mark.parametrize("why", [not_over_yet, held_back_by_a_clock, gone_with_a_key])
def test_what_is_not_owed_is_not_missed(past: Past, why: Callable[[Past], None]) -> None:
    why(past)
    assert found([], past) == set()
