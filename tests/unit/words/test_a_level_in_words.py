"""A level in sentences: case by case, as a committee reads them aloud."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from events.envelope import Draft, event_id
from events.level import ConfidenceReason, CoverageLost, CoverageRestored
from events.vocabulary import Actor, Channel, Role
from projections.alert_level.naming import points
from projections.alert_level.rules import Rules
from services.ledger.ledger import Append, Entry, Submission
from services.ledger.memory import MemoryLedger
from services.words.languages import language
from services.words.level import explain_calm, explain_change, explain_standing
from services.words.said import watched_then
from tests.support.levels import FIRST_RULES, Log, stood

RULES = Rules(FIRST_RULES)
ENGLISH = language("en")


@pytest.mark.parametrize(("thousandths", "words"), [(52_500, "52.5"), (0, "0"), (7, "0.007"), (-1_250, "-1.25")])
def test_points_are_told_as_people_say_them(thousandths: int, words: str) -> None:
    assert points(thousandths) == words


def test_a_change_is_told_case_by_case() -> None:
    log = Log().rules().engine().opened("a").assessed("a").opened("t", "tension").assessed("t", "moderate").days(3)
    log.resolved("a").opened("b").assessed("b", "extreme")
    told = explain_change(stood(log).changes[-1], RULES, "Kayanza", ENGLISH)
    assert told == (
        "Kayanza rises from watch (level 1) to crisis (level 4) on 23 May 2026, because of what was reported and "
        "assessed.",
        "Its cases add up to 84.2 points. Crisis is held down to 60.",
        "1. Violence, case a8a53500: given 80 points; as number 1 it counts whole: 80.",
        "2. Violence, case 40bb58df: given 40 points, 34 of them went by time or by its end; as number 2 it counts a "
        "half: 3.",
        "3. Tension between people, case eaf4fff8: given 6 points, 1.2 of them went by time or by its end; as number 3 "
        "it counts a quarter: 1.2.",
        "A case assessed as extreme is not resolved: the level is at least alert (level 3), whatever its points.",
        "2 cases are open.",
        "How well this place is watched is not known, so calm may also be silence: confidence is low.",
    )


def test_floors_windows_and_peace_are_told() -> None:
    log = Log().rules().opened("a").assessed("a").days(395)
    log.election(log.now.date()).opened("b").assessed("b", "minor").engine()
    told = explain_change(stood(log).changes[-1], RULES, "Kayanza", ENGLISH)
    assert told[2:4] == (
        "1. Violence, case a8a53500: given 10 points, times 1.5 around an election; as number 1 it counts whole: 15.",
        "2. Violence, case 40bb58df: given 40 points, 40 of them went by time or by its end, it is not resolved, so it "
        "keeps 5, times 1.5 around an election; as number 2 it counts a half: 3.75.",
    )
    log = (
        Log().rules().opened("t", "tension").assessed("t", "moderate").opened("u", "tension").assessed("u", "moderate")
    )
    log.opened("p", "peace_initiative").assessed("p").opened("q", "peace_initiative").assessed("q").engine()
    told = explain_change(stood(log).changes[-1], RULES, "Kayanza", ENGLISH)
    assert told[4] == (
        "2 peace initiatives and kept commitments take 2.7 points off tension and rumour, of which at most 30 % can go."
    )


def test_a_change_tells_how_well_its_place_is_watched() -> None:
    def last_words(log: Log) -> str:
        return explain_change(stood(log.engine()).changes[-1], RULES, "Kayanza", ENGLISH)[-1]

    def watched_by(reporters: int, silent: int) -> Log:
        log = Log().rules()
        for number in range(reporters):
            log.assigned(f"{number}")
        log.after(days=5)
        for number in range(silent, reporters):
            log.checked_in(f"{number}")
        return log.opened("a").assessed("a")

    assert last_words(watched_by(2, 0)) == (
        "Enough of those who watch this place give signs of life: confidence is high."
    )
    assert last_words(watched_by(2, 1)) == "Some of those who watch this place are silent: confidence is medium."
    assert last_words(watched_by(3, 2)).startswith("Most of those who watch this place are silent, so calm may also")
    assert last_words(watched_by(2, 2)).startswith("This place is not watched now: the level may rise, but it does")


def test_a_unit_that_stands_is_told_since_when_and_of_what_it_is_made_now() -> None:
    change = stood(Log().rules().opened("a").assessed("a").engine()).changes[-1]
    standing = change.model_copy(update={"before": change.after})
    told = explain_standing(standing, RULES, "Kayanza", ENGLISH)
    assert told[0].startswith("Kayanza stands at alert (level 3) since 20 May 2026, because levels are computed by a")
    assert told[1:] == explain_change(change, RULES, "Kayanza", ENGLISH)[1:]


def test_a_unit_that_never_changed() -> None:
    assert explain_calm("Kayanza", ConfidenceReason.COVERAGE_UNKNOWN, ENGLISH) == (
        "Kayanza is at calm (level 0): nothing has changed that so far.",
        "How well this place is watched is not known, so calm may also be silence: confidence is low.",
    )


def test_the_first_of_a_month_is_said_as_people_say_it() -> None:
    days = [date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 11)]
    assert [language("fr").day(one) for one in days] == ["1er mai 2026", "2 mai 2026", "11 mai 2026"]
    assert language("sw").day(days[0]) == "1 Mei 2026"


async def test_how_well_it_was_watched_at_a_moment_is_what_the_log_says_of_that_moment() -> None:
    unit, moment = "bi:c2015:gihanga", datetime(2026, 5, 20, 12, tzinfo=UTC)
    change = stood(Log().rules().opened("a").assessed("a").engine()).changes[-1]

    def of(kind: type[CoverageLost | CoverageRestored], channel: Channel | None) -> CoverageLost | CoverageRestored:
        return kind(unit=unit, channel=channel, since=moment.date(), effective_at=moment)

    told = (
        of(CoverageLost, Channel.SMS),
        of(CoverageLost, None),
        of(CoverageRestored, Channel.SMS),
        of(CoverageRestored, None),
    )
    ledger = MemoryLedger(key_lives=lambda _: True, simulated_from=moment)
    for number, event in enumerate(told):
        await ledger.set_clock(moment + timedelta(hours=number))
        command_id, stream = uuid4(), f"level/{unit}"
        draft = Draft(
            event_id=event_id(command_id, 0),
            source="urn:intabaza:test",
            stream=stream,
            version=number + 1,
            home="bi:home:1",
            data=event,
            command_id=command_id,
            command_mac=b"1" * 32,
            actor=Actor(role=Role.SYSTEM, ref=uuid4()),
            correlation_id=command_id,
        )
        entry = Entry(draft.event_id, event.name, draft.body())
        await ledger.append(Submission(command_id, b"1" * 32, (Append(stream, number, "bi:home:1", (entry,)),)))
    blind = change.model_copy(update={"confidence_reason": ConfidenceReason.COVERAGE_LOST})
    few = change.model_copy(update={"confidence_reason": ConfidenceReason.FEW_REPORTERS})
    for hours, said, watched in (
        (0.5, few, ConfidenceReason.FEW_REPORTERS),
        (0.5, None, ConfidenceReason.COVERAGE_UNKNOWN),
        (1.5, few, ConfidenceReason.COVERAGE_LOST),
        (2.5, None, ConfidenceReason.COVERAGE_LOST),
        (3.5, blind, ConfidenceReason.COVERAGE_UNKNOWN),
        (3.5, few, ConfidenceReason.FEW_REPORTERS),
    ):
        assert await watched_then(ledger, unit, moment + timedelta(hours=hours), said) == watched
    assert await watched_then(ledger, unit, None, None) == ConfidenceReason.COVERAGE_UNKNOWN
