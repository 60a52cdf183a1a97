"""A reporter in one home, and what concerns everybody: registers, elections, engines, the clock."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from events import reference
from events.command import read_command
from events.envelope import canonical
from events.reference import Recipient, Register
from events.refusals import BadInput
from events.reporter import (
    LATE_DAYS,
    MOST_SIGNS,
    AssignCoverage,
    CheckIn,
    CoverageLeavesHome,
    Enrol,
    EnrolledAlready,
    NotEnrolled,
    Reporter,
    ReporterCheckedIn,
    StandDownReporter,
    assign_coverage,
    check_in,
    enrol,
    evolve,
    record_signs,
    stand_down,
)
from events.sealed import Clear, KeyKind
from events.vocabulary import Channel, Reliability
from tests.support.domain import CLINIC, NOW, TODAY, Given, Then, one, recipient

PERSON = one("witness")


def given_reporter(*commands: tuple[Any, Any, dict[str, Any]]) -> Given[Reporter]:
    state = Reporter(one("reporter"))
    for decide, command, facts in commands:
        state = Given(state, evolve).when(decide, command, **facts).accepted()
    return Given(state, evolve)


WHO: dict[str, Any] = {"person": PERSON}
ENROL = (enrol, Enrol(languages=["rn"], channels=["sms"], trained=True, person_name="N", contact="C"), WHO)
HERE: dict[str, Any] = {"outside": frozenset()}
COVER = (assign_coverage, AssignCoverage(units=["a", "b"], channel="sms", cadence_days=7), HERE)
LEAVE = (stand_down, StandDownReporter(reason="safety", note="was followed"), WHO)


def check_in_on(day: Any) -> tuple[Any, Any, dict[str, Any]]:
    return check_in, CheckIn(on=day, channel="sms", nothing_to_report=True, felt_safety=3), WHO


def test_a_new_source_starts_at_f() -> None:
    state = given_reporter(ENROL).state
    assert (state.enrolled, state.reliability) == (True, Reliability.F)


def test_a_reporter_enrols_once_and_again_after_standing_down() -> None:
    given_reporter(ENROL).when(ENROL[0], ENROL[1], **WHO).refused(EnrolledAlready)
    assert given_reporter(ENROL, COVER, LEAVE).state.units == ()
    given_reporter(ENROL, LEAVE).when(ENROL[0], ENROL[1], **WHO).accepted()


@pytest.mark.parametrize("act", [COVER, LEAVE, check_in_on(TODAY)])
def test_only_an_enrolled_reporter_covers_checks_in_or_stands_down(act: Any) -> None:
    decide, command, facts = act
    given_reporter().when(decide, command, **facts).refused(NotEnrolled)
    given_reporter(ENROL, LEAVE).when(decide, command, **facts).refused(NotEnrolled)
    given_reporter(ENROL).when(decide, command, **facts).accepted()


def test_a_reporters_stream_covers_places_of_its_home_only() -> None:
    given_reporter(ENROL).when(COVER[0], COVER[1], outside=frozenset({"b"})).refused(CoverageLeavesHome)


def test_a_sign_of_life_is_of_no_day_to_come_and_the_latest_counts() -> None:
    decide, command, facts = check_in_on(TODAY + timedelta(days=1))
    given_reporter(ENROL).when(decide, command, **facts).refused(BadInput)
    earlier = check_in_on(TODAY - timedelta(days=3))
    assert given_reporter(ENROL, check_in_on(TODAY), earlier).state.last_sign == TODAY


def test_a_sign_from_when_a_clock_was_wrong_makes_none_be_recorded_twice() -> None:
    state = given_reporter(ENROL).state
    days = [TODAY - timedelta(days=ago) for ago in (9, 2, 0)]
    for on in (*days[:2], TODAY + timedelta(days=365), days[2]):
        state = evolve(state, ReporterCheckedIn(on=on, channel=Channel.SMS))
    held = [ReporterCheckedIn(on=on, channel=Channel.SMS) for on in (*days, TODAY + timedelta(days=1))]
    assert record_signs(state, held) == (held[-1],)


def test_a_reporter_of_years_is_known_by_the_signs_that_may_be_given_again() -> None:
    state = given_reporter(ENROL).state
    for day in range(1_000):
        state = evolve(state, ReporterCheckedIn(on=TODAY + timedelta(days=day), channel=Channel.SMS))
        assert len(state.signs) <= MOST_SIGNS
        again = [TODAY + timedelta(days=on) for on in range(max(day - LATE_DAYS, 0), day + 1)]
        assert {(on, Channel.SMS) for on in again} <= state.signs


@pytest.mark.parametrize("act", [ENROL, LEAVE, check_in_on(TODAY)])
def test_what_belongs_to_a_reporter_is_under_their_own_key(act: Any) -> None:
    decide, command, facts = act
    then = given_reporter(*([] if act is ENROL else [ENROL])).when(decide, command, **facts)
    texts = [value for value in vars(then.events[0]).values() if isinstance(value, Clear)]
    assert texts
    assert {(text.under.kind, text.under.owner) for text in texts} == {(KeyKind.PERSON, PERSON)}


def given_register(*commands: tuple[Any, Any]) -> Given[Register]:
    state = Register()
    for decide, command in commands:
        state = Given(state, reference.evolve).when(decide, command).accepted()
    return Given(state, reference.evolve)


def election(standing: str, day: Any = TODAY, **fields: Any) -> tuple[Any, Any]:
    usual = {"election": "communal-2026", "round": "communal", "standing": standing, "on": day, "source": "gazette"}
    return reference.date_election, reference.DateElection(**{**usual, **fields})


def test_an_election_moves_until_it_was_held_and_none_was_held_in_the_future() -> None:
    tomorrow = TODAY + timedelta(days=1)
    state = given_register(election("announced"), election("moved", tomorrow)).state
    assert state.version == 2
    given_register(election("announced")).when(*election("held", tomorrow)).refused(BadInput)
    given_register(election("held")).when(*election("moved", tomorrow)).refused(reference.HeldAlready)
    with pytest.raises(BadInput):
        read_command(
            reference.DateElection, {**election("announced")[1].model_dump(mode="json"), "campaign_from": tomorrow}
        )


def engine(number: int) -> tuple[Any, Any]:
    return reference.adopt_engine, reference.AdoptEngine(projection="alert-level", number=number)


def test_an_engine_never_goes_back() -> None:
    given_register(engine(1)).when(*engine(2)).accepted()
    given_register(engine(2)).when(*engine(2)).refused(reference.EngineGoesBack)
    given_register(engine(2)).when(*engine(1)).refused(reference.EngineGoesBack)


def waiver(position: int, key: str = "case/1") -> tuple[Any, Any]:
    command = reference.WaiveEvent(projection="case_board", key=key, position=position, why="unreadable")
    return reference.waive_event, command


def test_an_event_is_waived_once_for_each_key() -> None:
    given_register(waiver(5)).when(*waiver(6)).accepted()
    given_register(waiver(5)).when(*waiver(5, "case/2")).accepted()
    given_register(waiver(5)).when(*waiver(5)).refused(reference.WaivedAlready)


def tick(at: Any, reason: str = "hour") -> tuple[Any, Any]:
    return reference.tick, reference.Tick(nominal=at, reason=reason)


def test_the_clock_ticks_for_no_moment_to_come_and_never_backwards_for_one_reason() -> None:
    earlier = NOW - timedelta(hours=1)
    given_register(tick(earlier)).when(*tick(NOW)).accepted()
    given_register().when(*tick(NOW + timedelta(seconds=1))).refused(BadInput)
    given_register(tick(NOW)).when(*tick(NOW)).refused(reference.DiscontinuedClock)
    given_register(tick(NOW)).when(*tick(earlier)).refused(reference.DiscontinuedClock)
    given_register(tick(NOW)).when(*tick(earlier, "due")).accepted()


def test_what_is_in_force_is_not_adopted_again() -> None:
    for first, second in ((rules("x = 1"), rules("x = 2")), (gazetteer(unit=1), gazetteer(unit=2))):
        given_register(first).when(*first).refused(reference.InForceAlready)
        given_register(first).when(*second).accepted()


def rules(content: str) -> Any:
    content_hash = sha256(content.encode()).hexdigest()
    return reference.adopt_rules, reference.AdoptRules(rule_set="first", content_hash=content_hash, content=content)


def gazetteer(**content: Any) -> Any:
    content_hash = sha256(canonical(content)).hexdigest()
    command = reference.AdoptGazetteer(gazetteer="burundi", content_hash=content_hash, content=content)
    return reference.adopt_gazetteer, command


@pytest.mark.parametrize(("decide", "command"), [rules("x = 1"), gazetteer(unit=1)])
def test_nothing_is_adopted_under_a_hash_that_is_not_its_contents(decide: Any, command: Any) -> None:
    other = command.model_copy(update={"content_hash": sha256(b"another").hexdigest()})
    refusal = given_register().when(decide, other).refused(BadInput)
    assert [problem.field for problem in refusal.problems] == ["content_hash"]


def test_a_recipients_entry_is_replaced_whole_and_its_version_counts() -> None:
    entry = recipient().entry
    assert entry is not None
    command = reference.RegisterRecipient(**entry.model_dump(exclude={"conflicts_locally"}))
    first: Then[Recipient] = Given(Recipient(), reference.evolve_recipient).when(reference.register_recipient, command)
    state = first.accepted()
    assert (state.version, state.entry and state.entry.recipient) == (1, CLINIC)
    given = Given(state, reference.evolve_recipient)
    given.when(reference.register_recipient, command).refused(reference.InForceAlready)
    other = command.model_copy(update={"active": False})
    assert given.when(reference.register_recipient, other).accepted().version == 2


def test_a_recipient_that_is_not_registered_has_no_conflicts_of_its_own() -> None:
    assert Recipient().conflicting(frozenset({"commune:kayanza"})) == frozenset()
