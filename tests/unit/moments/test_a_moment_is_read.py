"""What a person may write for a moment of the log, and what is told of anything else."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.local_problem import LocalProblem
from services.moments import BeforeTheLog, BeyondTheLog, Moment, NotAMoment, read_moment

AT = datetime(2015, 5, 13, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0", 0),
        ("17", 17),
        ("2015", 2015),
        ("2015-05-13T12:00:00+02:00", AT),
        ("2015-05-13T10:00Z", AT),
        ("2015-05-13T10:00:00.000001Z", AT.replace(microsecond=1)),
        ("20150513T120000+0200", AT),
    ],
)
def test_a_position_or_an_instant_with_its_offset(text: str, named: object) -> None:
    assert read_moment(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "", " 17", "-1", "+1", "1.0", "1_000", "٣", "9" * 16, "2015-05-13", "2015-05-13T12:00:00", "yesterday",
        "2015-05-13T12:00:00 02:00", "2015-13-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-01:00",
    ],
)  # fmt: skip
def test_anything_else_is_told_what_was_expected(text: str) -> None:
    with pytest.raises(
        NotAMoment, match=r"expected a position on the log, or an instant with its offset from UTC like"
    ):
        read_moment(text)


@pytest.mark.parametrize("text", ["2015-05-13T12:00:00 02:00", "2015-05-13 12:00:00", "2015-05-13T12:00:00 ", " 17"])
def test_who_copied_an_instant_into_an_address_is_told_how_its_plus_is_written(text: str) -> None:
    with pytest.raises(NotAMoment) as refused:
        read_moment(text)
    assert ("%2B" in str(refused.value)) is (text == "2015-05-13T12:00:00 02:00")


@given(st.text(max_size=80))
def test_no_text_is_a_fault_of_ours(text: str) -> None:
    with contextlib.suppress(NotAMoment):
        assert read_moment(text) is not None


def test_each_refusal_ends_the_command_line_in_its_own_way() -> None:
    moment = Moment(7, AT)
    refusals: list[LocalProblem] = [NotAMoment("x"), BeforeTheLog(0, moment), BeyondTheLog(9, moment)]
    assert [one.status for one in refusals] == [2, 3, 4]
    assert LocalProblem.status == 1
    assert str(BeyondTheLog(AT, moment)).startswith("2015-05-13T10:00:00.000000Z is beyond the log: it ends with ")
