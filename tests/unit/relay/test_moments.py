"""For which moment the clock ticks: each local hour, local midnight, and when something falls due; never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.reference import TickReason
from services.relay.moments import moment_to_tick

BUJUMBURA = ZoneInfo("Africa/Bujumbura")  # two hours ahead of UTC, all year


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "now", "due", "wanted"),
    [
        ("2027-03-01 08:59", "2027-03-01 09:00", None, ("2027-03-01 09:00", TickReason.HOUR)),
        ("2027-03-01 09:00:01", "2027-03-01 09:59:59", None, None),
        ("2027-03-01 21:30", "2027-03-01 22:00:01", None, ("2027-03-01 22:00", TickReason.MIDNIGHT)),
        ("2027-03-01 09:05", "2027-03-01 09:20", "2027-03-01 09:17", ("2027-03-01 09:17", TickReason.DUE)),
        ("2027-03-01 09:05", "2027-03-01 09:20", "2027-03-01 09:21", None),
        ("2027-03-01 09:18", "2027-03-01 09:20", "2027-03-01 09:17", None),
        # a gap: days of midnights and hours, carried by one tick
        ("2027-03-01 09:05", "2027-03-04 13:20", None, ("2027-03-04 13:00", TickReason.HOUR)),
        ("2027-03-01 09:05", "2027-03-04 13:20", "2027-03-02 10:00", ("2027-03-04 13:00", TickReason.HOUR)),
        ("2027-03-01 09:05", "2027-03-04 13:20", "2027-03-04 13:10", ("2027-03-04 13:10", TickReason.DUE)),
        ("2027-03-01 09:05", "2027-03-01 10:00", "2027-03-01 10:00", ("2027-03-01 10:00", TickReason.HOUR)),
    ],
)
def test_the_moment_is(last: str, now: str, due: str | None, wanted: tuple[str, TickReason] | None) -> None:
    found = moment_to_tick(at(now), at(last), at(due) if due else None, BUJUMBURA)
    assert found == (None if wanted is None else (at(wanted[0]), wanted[1]))


def test_hours_are_local_where_a_zone_is_half_an_hour_off() -> None:
    assert moment_to_tick(at("2027-03-01 18:31"), at("2027-03-01 18:05"), None, ZoneInfo("Asia/Kolkata")) == (
        at("2027-03-01 18:30"),
        TickReason.MIDNIGHT,
    )


moments = st.integers(0, 2 * 366 * 86_400).map(lambda seconds: at("2026-01-01") + timedelta(seconds=seconds))
zones = st.sampled_from([BUJUMBURA, ZoneInfo("Europe/Paris"), ZoneInfo("America/St_Johns"), ZoneInfo("UTC")])


@given(moments, st.timedeltas(timedelta(0), timedelta(days=9)), st.none() | moments, zones)
def test_a_moment_has_passed_since_the_last_tick_and_is_never_ticked_again(
    last: datetime, gap: timedelta, due: datetime | None, zone: ZoneInfo
) -> None:
    now = last + gap
    found = moment_to_tick(now, last, due, zone)
    if found is None:
        assert gap < timedelta(hours=2)
        assert due is None or not last < due <= now
    else:
        assert last < found[0] <= now
        assert moment_to_tick(now, now, due, zone) is None
