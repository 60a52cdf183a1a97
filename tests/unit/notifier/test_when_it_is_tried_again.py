"""The schedule of tries, and what a receiver may ask for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.retrying import Schedule, retry_after

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
SCHEDULE = Schedule(5, 3_600)


def test_each_wait_is_the_double_of_the_last_until_the_longest() -> None:
    assert [SCHEDULE.delay(failures, chance=1) for failures in range(1, 13)] == [
        5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600,
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [0.0, 4.0, 5.0, 35.0, 5_115.0, 5_116.0, 2_592_000.0])
def test_as_many_tries_as_have_waited_so_long(seconds: float) -> None:
    tries, waited = 0, 0.0
    while waited < seconds:
        tries += 1
        waited += SCHEDULE.delay(tries, chance=1)
    assert SCHEDULE.tries_in(seconds) == tries


@given(st.integers(1, 10_000), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 1e9)))
def test_no_wait_is_under_half_of_its_turn_or_over_the_longest(
    failures: int, chance: float, asked: float | None
) -> None:
    whole = SCHEDULE.delay(failures, 1)
    assert whole / 2 <= SCHEDULE.delay(failures, chance, asked) <= SCHEDULE.longest


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Wed, 20 May 2026 12:01:00 GMT", 60.0),
        ("Wed, 20 May 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 5_000, 999_999_999.0),
        ("٣", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds
