"""A message is received as it came: a form is asked again, a message never refused for its dates or its place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.refusals import BadInput
from events.report.decisions import receive
from events.report.refusals import AlreadyReceived
from events.report.state import Report, Standing
from events.sealed import Clear, KeyKind
from events.stated import AT_A_FORM
from events.vocabulary import Channel, Credibility, Flag, Reliability
from tests.support import domain
from tests.support.domain import PLACE, REPORT, TODAY, given_report, one, received

MESSAGES = sorted(set(Channel) - AT_A_FORM)
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
FACTS: dict[str, Any] = {"place": PLACE, "placed": True, "person": None}


def content(state: Report) -> Any:
    assert state.content is not None
    return state.content


def test_a_received_report_stands_and_its_source_and_information_cannot_be_judged_yet() -> None:
    state = given_report().when(receive, domain.receive(), **FACTS).accepted()
    assert (state.standing, state.reliability, state.credibility) == (Standing.STANDS, Reliability.F, Credibility.SIX)
    assert content(state).flags == ()


def test_a_report_is_received_once() -> None:
    given_report(received()).when(receive, domain.receive(), **FACTS).refused(AlreadyReceived)


@pytest.mark.parametrize("channel", sorted(AT_A_FORM))
@pytest.mark.parametrize("end", ["from", "to"])
def test_a_future_occurred_date_is_refused_at_a_form_and_names_its_field(channel: Channel, end: str) -> None:
    command = domain.receive(channel=channel, occurred={end: TOMORROW})
    refusal = given_report().when(receive, command, **FACTS).refused(BadInput)
    assert [problem.field for problem in refusal.problems] == [f"occurred.{end}"]


@pytest.mark.parametrize("channel", MESSAGES)
def test_a_future_occurred_date_in_a_message_is_kept_and_flagged(channel: Channel) -> None:
    command = domain.receive(channel=channel, occurred={"from": YESTERDAY, "to": TOMORROW})
    kept = content(given_report().when(receive, command, **FACTS).accepted())
    assert kept.flags == (Flag.CLOCK_DOUBTFUL,)
    assert (kept.occurred.starts, kept.occurred.ends) == (YESTERDAY, TOMORROW)


@pytest.mark.parametrize("channel", sorted(Channel))
def test_today_and_the_long_past_are_no_future(channel: Channel) -> None:
    command = domain.receive(channel=channel, occurred={"from": TODAY - timedelta(days=12_000), "to": TODAY})
    assert content(given_report().when(receive, command, **FACTS).accepted()).flags == ()


@pytest.mark.parametrize("channel", sorted(Channel))
def test_an_expected_date_may_be_in_the_future(channel: Channel) -> None:
    command = domain.receive(channel=channel, expected={"from": TOMORROW, "to": TODAY + timedelta(days=60)})
    assert content(given_report().when(receive, command, **FACTS).accepted()).flags == ()


@pytest.mark.parametrize("name", ["occurred", "expected"])
def test_turned_dates_are_refused_at_a_form_and_flagged_in_a_message(name: str) -> None:
    turned = {name: {"from": TODAY, "to": YESTERDAY}}
    at_a_form = domain.receive(channel=Channel.FORM, **turned)
    refusal = given_report().when(receive, at_a_form, **FACTS).refused(BadInput)
    assert refusal.problems[0].field == f"{name}.to"
    kept = content(given_report().when(receive, domain.receive(channel=Channel.SMS, **turned), **FACTS).accepted())
    assert kept.flags == (Flag.CLOCK_DOUBTFUL,)
    assert getattr(kept, name).last == TODAY


@pytest.mark.parametrize("channel", sorted(Channel))
def test_a_report_is_never_refused_for_its_place(channel: Channel) -> None:
    command = domain.receive(channel=channel, unit=None)
    facts = {**FACTS, "placed": False}
    assert content(given_report().when(receive, command, **facts).accepted()).flags == (Flag.UNPLACED,)


def test_a_known_source_and_its_contact_are_under_the_persons_key_and_all_else_under_the_reports() -> None:
    command = domain.receive(contact="how to reach them", place_words="behind the market", exact_times="at dawn")
    kept = content(given_report().when(receive, command, **{**FACTS, "person": one("witness")}).accepted())
    of_the_person = {"contact", "source"}
    for name in ("text", "contact", "source", "place_words", "exact_times"):
        text = getattr(kept, name)
        assert isinstance(text, Clear)
        expected = (KeyKind.PERSON, one("witness")) if name in of_the_person else (KeyKind.REPORT, REPORT)
        assert (text.under.kind, text.under.owner) == expected, name


def test_without_a_known_source_the_contact_is_under_the_reports_own_key() -> None:
    kept = content(given_report().when(receive, domain.receive(contact="how to reach them"), **FACTS).accepted())
    assert kept.source is None
    assert kept.contact.under.owner == REPORT


def test_harm_that_is_not_stated_and_harm_that_is_none_are_two_things() -> None:
    command = domain.receive(harm=[{"what": "killed", "min": 0, "max": 0}, {"what": "injured", "min": 2}])
    killed, injured = content(given_report().when(receive, command, **FACTS).accepted()).harm
    assert (killed.min, killed.max, injured.min, injured.max) == (0, 0, 2, None)
