"""A report is corrected, withdrawn, or received again in the home of its better place; nothing is lost or doubled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from events.command import clear, read_command
from events.refusals import BadInput
from events.report.decisions import Correct, Withdraw, correct, grade, supersede, withdraw
from events.report.events import ReportReceived, ReportRecused, ReportSuperseded, ReportWithdrawn
from events.report.refusals import (
    AlreadyGraded,
    AlreadyReceived,
    AnotherHome,
    NoSuchReport,
    ReportSupersededAlready,
    ReportWithdrawnAlready,
    SameHome,
    StoodAside,
    WordsNotOpened,
)
from events.report.state import Report, Standing
from events.sealed import KeyKind
from events.vocabulary import Dated, Flag, HarmKind, Kind, Recusal, Withdrawal
from tests.support.domain import (
    HOME,
    INES,
    JEAN,
    KEZA,
    OTHER_HOME,
    OTHER_PLACE,
    PLACE,
    REPORT,
    TODAY,
    act,
    fold,
    given_report,
    graded,
    one,
    received,
    report,
)
from tests.unit.events.test_grading_a_report import CONCLUDED, TWO_AGREE, view

TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
WITHDRAWN = ReportWithdrawn(reason=Withdrawal.FALSE)
SUPERSEDED = ReportSuperseded(received_again_as=one("again"), home=OTHER_HOME)


def correction(**fields: Any) -> Correct:
    return Correct(**{"reason": "heard again", **fields})


def flags(state: Report) -> tuple[Flag, ...]:
    assert state.content is not None
    return state.content.flags


def test_a_correction_changes_only_what_it_names() -> None:
    state = given_report(received()).when(correct, correction(kind="tension")).accepted()
    assert state.content == received(kind=Kind.TENSION)


def test_a_corrected_text_is_the_current_one_and_its_version_is_known() -> None:
    state = given_report(received()).when(correct, correction(text="what was really seen")).accepted()
    assert state.words["text"] == (2, clear("what was really seen", KeyKind.REPORT, REPORT))


def test_a_field_no_longer_stated_is_empty() -> None:
    before = received(occurred=Dated(starts=TODAY), sub_kind=clear("worse", KeyKind.REPORT, REPORT))
    state = given_report(before).when(correct, correction(no_longer_stated=["occurred", "sub_kind"])).accepted()
    assert state.content is not None
    assert state.content.occurred is None
    assert "sub_kind" not in state.words


def test_harm_corrected_to_nothing_is_nothing_stated() -> None:
    before = received(harm=({"what": HarmKind.KILLED, "min": 1},))
    state = given_report(before).when(correct, correction(harm=[])).accepted()
    assert state.content is not None
    assert state.content.harm == ()


@pytest.mark.parametrize(
    "fields", [{}, {"place_precision": "hill"}, {"occurred": {"from": TODAY}, "no_longer_stated": ["occurred"]}]
)
def test_a_correction_of_nothing_or_of_one_field_in_two_ways_is_bad_input(fields: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        read_command(Correct, {"reason": "heard again", **fields})


def test_whoever_corrects_can_be_asked_so_a_future_occurred_date_is_refused() -> None:
    given_report(received()).when(correct, correction(occurred={"to": TOMORROW})).refused(BadInput)
    given_report(received()).when(correct, correction(expected={"to": TOMORROW})).accepted()


FUTURE = Dated(starts=TOMORROW)
TURNED = Dated(starts=TODAY, ends=YESTERDAY)


@pytest.mark.parametrize(
    ("dates", "fields", "doubtful"),
    [
        ({"occurred": FUTURE}, {"occurred": {"from": TODAY}}, False),
        ({"occurred": FUTURE}, {"no_longer_stated": ["occurred"]}, False),
        ({"occurred": FUTURE}, {"expected": {"from": TOMORROW}}, True),
        ({"occurred": TURNED}, {"expected": {"from": TOMORROW}}, True),
        ({"expected": TURNED}, {"occurred": {"from": TODAY}}, True),
        ({"expected": TURNED}, {"expected": {"from": TODAY}}, False),
        ({"occurred": TURNED, "expected": TURNED}, {"occurred": {"from": TODAY}}, True),
        ({"occurred": TURNED}, {"kind": "tension"}, True),
    ],
)
def test_one_corrected_date_clears_no_doubt_about_the_other(
    dates: dict[str, Any], fields: dict[str, Any], doubtful: bool
) -> None:
    before = received(**dates, flags=(Flag.CLOCK_DOUBTFUL,))
    state = given_report(before).when(correct, correction(**fields)).accepted()
    assert (Flag.CLOCK_DOUBTFUL in flags(state)) is doubtful


def test_a_report_is_placed_better_inside_its_home_by_a_correction() -> None:
    hill = PLACE.model_copy(update={"unit": "hill:gakenke"})
    state = given_report(received()).when(correct, correction(unit=hill.unit), place=hill).accepted()
    assert state.content is not None
    assert state.content.place == hill


def test_a_correction_never_moves_a_report_to_another_home() -> None:
    command = correction(unit=OTHER_PLACE.unit)
    given_report(received()).when(correct, command, place=OTHER_PLACE, moves_home=True).refused(AnotherHome)


def test_a_unit_that_nobody_looked_up_is_not_dropped_silently() -> None:
    given_report(received()).when(correct, correction(unit="hill:gakenke")).refused(BadInput)


def test_a_report_is_withdrawn_once_and_takes_nothing_more() -> None:
    command = Withdraw(reason=Withdrawal.SOURCE_WITHDREW)
    state = given_report(received()).when(withdraw, command).accepted()
    assert state.standing == Standing.WITHDRAWN
    given_report(received(), WITHDRAWN).when(withdraw, command).refused(ReportWithdrawnAlready)
    given_report(received(), WITHDRAWN).when(correct, correction(kind="tension")).refused(ReportWithdrawnAlready)
    given_report().when(withdraw, command).refused(NoSuchReport)


# --- received again in another home -----------------------------------------------------------------------------------

WORDS = {"text": SecretStr("what was seen")}


def again(
    before: Report, fresh: Report | None = None, words: dict[str, SecretStr] | None = None, **facts: Any
) -> tuple[Report, Report]:
    """Both reports after receiving `before` again in another home."""
    fresh = fresh or Report(one("again"))
    facts = {"place": OTHER_PLACE, "here": HOME, "there": OTHER_HOME, **facts}
    old, new = supersede(before, fresh, act(), words=WORDS if words is None else words, **facts)
    return fold(before, _evolve(), old), fold(fresh, _evolve(), new)


def _evolve() -> Any:
    return given_report().evolve


def test_a_report_placed_elsewhere_is_superseded_here_and_received_again_there() -> None:
    old, new = again(report(received()))
    assert (old.standing, old.received_again_as) == (Standing.SUPERSEDED, new.report_id)
    assert new.standing == Standing.STANDS
    assert new.content is not None
    assert new.content.place == OTHER_PLACE


def test_a_superseded_report_takes_nothing_more_and_says_where_it_is() -> None:
    refusal = given_report(received(), SUPERSEDED).when(grade, view(), own=False).refused(ReportSupersededAlready)
    assert str(one("again")) in str(refusal)


def test_a_stream_never_leaves_its_home_and_never_receives_twice() -> None:
    with pytest.raises(SameHome):
        again(report(received()), there=HOME)
    with pytest.raises(AlreadyReceived):
        again(report(received()), fresh=report(received(), report_id=one("again")))
    with pytest.raises(ReportSupersededAlready):
        again(report(received(), SUPERSEDED))
    with pytest.raises(ReportWithdrawnAlready):
        again(report(received(), WITHDRAWN))
    with pytest.raises(NoSuchReport):
        again(report())


def test_grades_round_recusals_and_conclusion_are_carried_so_that_nothing_is_graded_twice() -> None:
    aside = ReportRecused(by=KEZA.ref, round=2, reason=Recusal.CONCERNED)
    before = report(*TWO_AGREE, CONCLUDED, graded(INES, round_number=2), aside)
    _, new = again(before)
    for name in ("grades", "round", "recused", "reliability", "credibility"):
        assert getattr(new, name) == getattr(before, name), name
    with pytest.raises(AlreadyGraded):
        grade(new, view(2), act(INES), own=False)
    with pytest.raises(StoodAside):
        grade(new, view(2), act(KEZA), own=False)
    assert grade(new, view(2), act(JEAN), own=False)


def test_reviewers_keep_their_pseudonyms_however_often_a_report_is_received_again() -> None:
    _, second = again(report(received()))
    _, third = again(second, fresh=Report(one("third")), here=OTHER_HOME, there=HOME)
    assert (second.first_received_as, third.first_received_as) == (REPORT, REPORT)


def test_words_are_sealed_anew_under_the_new_reports_key_and_the_persons() -> None:
    person = one("witness")
    words = {**WORDS, "contact": SecretStr("how to reach them"), "source": SecretStr(str(person))}
    before = received(
        contact=clear("how to reach them", KeyKind.PERSON, person), source=clear(str(person), KeyKind.PERSON, person)
    )
    _, new = again(report(before), words=words)
    assert new.words["text"] == (1, clear("what was seen", KeyKind.REPORT, one("again")))
    assert new.words["contact"] == (1, clear("how to reach them", KeyKind.PERSON, person))
    assert new.words["source"] == (1, clear(str(person), KeyKind.PERSON, person))


def test_a_sealed_word_that_was_not_opened_is_not_lost_silently() -> None:
    before = report(received(contact=clear("how to reach them", KeyKind.REPORT, REPORT)))
    with pytest.raises(WordsNotOpened, match="contact"):
        again(before)
    _, new = again(before, erased=frozenset({"contact"}))
    assert new.words.keys() == {"text"}
    with pytest.raises(WordsNotOpened, match="text"):
        again(before, words={}, erased=frozenset({"contact", "text"}))


def test_corrections_are_carried_and_a_place_found_is_no_longer_unplaced() -> None:
    before = given_report(received(flags=(Flag.UNPLACED,), occurred=Dated(starts=TODAY))).when(
        correct, correction(kind="tension", text="what was really seen")
    )
    _, new = again(before.accepted(), words={"text": SecretStr("what was really seen")})
    assert new.content == ReportReceived(
        **{
            **received(kind=Kind.TENSION, place=OTHER_PLACE, occurred=Dated(starts=TODAY)).__dict__,
            "carried": new.content.carried if new.content else None,
            "text": clear("what was really seen", KeyKind.REPORT, one("again")),
        }
    )
    _, unplaced = again(report(received()), placed=False)
    assert flags(unplaced) == (Flag.UNPLACED,)


def test_a_report_received_again_keeps_the_moment_it_first_came_in() -> None:
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    _, new = again(report(received(received_at=moment)))
    assert new.content is not None
    assert new.content.received_at == moment
