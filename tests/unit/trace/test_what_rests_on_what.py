"""What a case stands on at each moment, and what rests on it, in small histories and in any."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.taken import Taken
from services.ledger.ledger import Recorded
from services.trace.events import ALERT, LEVEL, OF_MIDNIGHT, Told
from services.trace.support import follow
from services.trace.taken_back import taken_back
from services.trace.told_for import told_for
from tests.support.domain import one
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.levels import UNIT, Log, stood
from tests.support.traced import NO_BYTES, derived, told


def reports_under(log: Log) -> list[set[str]]:
    """The reports under each change of the level of the one unit, by the names that the log calls them."""
    rests = follow([*map(told, log.events), *derived(log.events)])
    changes = [on for event, on in rests.values() if event.row.type == LEVEL]
    names = {f"report/{one(name)}": name for name in ("r1", "r2", "r3")}
    return [{names[token] for token in on if token in names} for on in changes]


def begun() -> Log:
    return Log().rules().engine()


def test_a_change_rests_on_what_is_linked_then_and_on_what_the_committee_saw() -> None:
    log = begun().opened("a").after(hours=1).linked("a", "r1").after(hours=1).assessed("a").after(hours=1)
    log.linked("a", "r2").after(hours=1).unlinked("a", "r1").after(hours=1).assessed("a", "minor", "4")
    assert reports_under(log) == [set(), {"r1"}, {"r2"}]


def test_an_assessment_stands_on_a_report_that_was_taken_away_until_there_is_another() -> None:
    log = begun().opened("a").after(hours=1).linked("a", "r1").linked("a", "r2").after(hours=1).assessed("a")
    under = reports_under(log.after(hours=1).withdrawn("r1").days(20))
    assert len(under) > 2
    assert all(reports == {"r1", "r2"} for reports in under[1:])


def test_a_case_stands_on_what_is_merged_into_it_for_as_long_as_it_is() -> None:
    log = begun().opened("a").opened("b").linked("b", "r3").after(hours=1).merged("b", into="a")
    assert reports_under(log.after(hours=1).assessed("a"))[-1] == {"r3"}
    log = begun().opened("a").opened("b", "nothing_to_report").linked("b", "r3").after(hours=1)
    log.merged("b", into="a").after(hours=1)
    assert reports_under(log.merge_reversed("b", into="a").after(hours=1).assessed("a"))[-1] == set()


def test_of_commands_at_one_moment_a_change_rests_on_all_that_its_cases_stood_on_then() -> None:
    log = begun().opened("a").after(hours=1).linked("a", "r1").after(hours=1)
    log.unlinked("a", "r1").linked("a", "r2").assessed("a")
    (moment,) = {datetime.fromisoformat(event.time) for event in log.events[-3:]}
    changes = derived(log.events)
    last = str(changes[-1].row.event_id)
    exactly, safely = (follow([*map(told, log.events), *changes], shared)[last][1] for shared in ((), {moment}))
    assert safely > exactly
    assert safely - exactly >= {f"report/{one('r1')}"}


def test_a_midnight_comes_before_what_is_recorded_at_it() -> None:
    log = begun().opened("a").linked("a", "r1").assessed("a").days(30)
    changes = derived(log.events)
    fading = next(change for change in changes if change.data["cause"] in OF_MIDNIGHT)
    at_midnight = Taken(
        log.events[-1].position + 1,
        fading.data["effective_at"],
        f"report/{one('r1')}",
        2,
        "report.withdrawn",
        log.events[-1].home,
        "actual",
        "coordinator",
        str(UUID(int=0)),
        {},
    )
    rests = follow([*map(told, log.events), told(at_midnight), *changes])
    assert f"report/{one('r1')}" in rests[str(fading.row.event_id)][1]


@examples(150)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_every_change_rests_on_the_opening_and_the_reports_of_each_case_it_lists(seed: int, length: int) -> None:
    log = list(history(seed, length))
    changes = derived(log)
    rests = follow([*map(told, log), *changes])
    for change in changes:
        _, on = rests[str(change.row.event_id)]
        until = [event for event in log if datetime.fromisoformat(event.time) <= change.moment]
        before = [event for event in until if held_before(event, change)]
        for case_id in change.cases:
            opened = next(e for e in until if (e.stream, e.type) == (f"case/{case_id}", "case.opened"))
            assert str(UUID(int=opened.position)) in on
            assert linked_now(case_id, before) <= on
        mine = ever_linked(set(change.cases), until)
        assert {token for token in on if token.startswith("report/")} <= mine


def held_before(event: Taken, change: Told) -> bool:
    at = datetime.fromisoformat(event.time)
    return at < change.moment if change.data["cause"] in OF_MIDNIGHT else at <= change.moment


def linked_now(case_id: str, before: list[Taken]) -> set[str]:
    linked: set[str] = set()
    for event in before:
        if event.type in ("report.withdrawn", "report.superseded"):
            linked.discard(event.stream)
        elif event.stream == f"case/{case_id}" and event.type == "case.report_linked":
            linked.add(f"report/{event.data['report_id']}")
        elif event.stream == f"case/{case_id}" and event.type == "case.report_unlinked":
            linked.discard(f"report/{event.data['report_id']}")
    return linked


def ever_linked(cases: set[str], before: list[Taken]) -> set[str]:
    """Reports that were ever linked to these cases, or to any that was ever merged with one of them."""
    grown = True
    while grown:
        merged = {
            end
            for event in before
            if event.type == "case.merged" and ({event.stream.removeprefix("case/")} | {*event.data.values()}) & cases
            for end in (event.stream.removeprefix("case/"), *event.data.values())
        }
        grown = not merged <= cases
        cases = cases | merged
    return {
        f"report/{event.data['report_id']}"
        for event in before
        if event.type == "case.report_linked" and event.stream.removeprefix("case/") in cases
    }


# --- alerts and what is taken back ------------------------------------------------------------------------------------


def made(position: int, stream: str, type_: str, recorded: int = 0, **data: Any) -> Told:
    at = datetime(2027, 3, 1, 12, recorded, tzinfo=UTC)
    id_ = UUID(int=position)
    return Told(Recorded(position, stream, 1, id_, type_, "h", at, id_, NO_BYTES, NO_BYTES), data)


def levels_of(before: int, after: int) -> dict[str, Any]:
    return {"from": before, "to": after}


def level(position: int, before: int, after: int, recorded: int = 0) -> Told:
    data = levels_of(before, after) | {"contributions": [], "cause": "evidence"}
    return made(position, f"level/{UNIT}", LEVEL, recorded, effective_at="2027-03-01T12:00:00Z", **data)


def alert(position: int, before: int, after: int, recorded: int = 0) -> Told:
    return made(position, f"alert/{UNIT}", ALERT, recorded, **levels_of(before, after))


def test_of_several_changes_in_one_batch_an_alert_was_told_for_its_own() -> None:
    levels = [level(5, 0, 3), level(6, 3, 2), level(9, 2, 3, recorded=1)]
    alerts = [alert(3, 0, 3), alert(4, 3, 2), alert(8, 2, 3, recorded=1)]
    assert [told_for(one, alerts, levels) for one in alerts] == [(one,) for one in levels]


def test_what_people_decide_is_told_for_their_decision_and_the_level_that_stood() -> None:
    overridden = made(5, f"alert/{UNIT}", "alert.overridden", 1)
    raised = alert(6, 2, 4, recorded=2)
    standing = level(3, 0, 2)
    assert told_for(raised, [overridden, raised], [standing, level(9, 2, 1, recorded=3)]) == (overridden, standing)
    assert told_for(raised, [raised], []) == ()


@pytest.mark.parametrize(
    ("type_", "data", "meant"),
    [
        ("case.report_unlinked", {"report_id": "r1"}, [2]),
        ("case.report_unlinked", {"report_id": "r9"}, []),
        ("case.assessed", {}, [5, 4, 1]),
        ("case.not_ratified", {}, [1]),
        ("case.merge_reversed", {"into": "b"}, [6]),
        ("case.resolved", {}, []),
        ("case.classified", {"kind": "theft"}, [1]),
        ("case.classified", {"kind": "violence"}, []),
        ("case.reopened", {"reason": "outcome_contradicted"}, []),
    ],
)
def test_what_an_event_takes_back(type_: str, data: dict[str, Any], meant: list[int]) -> None:
    stream = [
        made(1, "case/a", "case.opened", kind="violence"),
        made(2, "case/a", "case.report_linked", report_id="r1"),
        made(3, "case/a", "case.report_linked", report_id="r2"),
        made(4, "case/a", "case.assessed"),
        made(5, "case/a", "case.assessed"),
        made(6, "case/a", "case.merged", into="b"),
        made(7, "case/a", type_, **data),
        made(8, "case/a", "case.assessed"),
    ]
    assert [one.row.position for one in taken_back(stream[6], stream)] == meant


@pytest.mark.parametrize(("reason", "meant"), [("new_evidence", [1]), ("danger_returned", [])])
def test_a_case_that_is_opened_again_was_not_resolved_unless_the_danger_returned(reason: str, meant: list[int]) -> None:
    stream = [made(1, "case/a", "case.resolved"), made(2, "case/a", "case.reopened", reason=reason)]
    assert [each.row.position for each in taken_back(stream[1], stream)] == meant


def test_a_referral_rests_on_the_check_and_the_consent_that_it_cites_and_on_what_these_released() -> None:
    stream = [
        made(1, "case/a", "case.opened", kind="violence"),
        made(2, "case/a", "case.harm_checked", check_id="unclear"),
        made(3, "case/a", "case.harm_checked", check_id="released", releases="unclear"),
        made(4, "case/a", "case.consent_recorded", consent_id="given"),
        made(5, "case/a", "case.harm_checked", check_id="of_another"),
        made(6, "case/a", "case.referred", referral_id="first", check_id="released", consent_id="given"),
        made(7, "case/a", "case.referral_accepted", referral_id="first"),
        made(
            8, "case/a", "case.referred", referral_id="next", check_id="of_another", consent_id="other", follows="first"
        ),
        made(9, "case/a", "case.consent_withdrawn", consent_id="given"),
    ]
    rests = follow(stream)
    on = {told.row.position: {UUID(token).int for token in tokens} for told, tokens in rests.values()}
    assert on[6] == {1, 2, 3, 4}
    assert on[7] == {1, 2, 3, 4, 6}
    assert on[8] == {1, 2, 3, 4, 5, 6}
    assert [each.row.position for each in taken_back(stream[-1], stream)] == [4]


def test_what_a_case_is_said_to_be_holds_until_it_is_said_anew() -> None:
    kinds = [made(1, "case/a", "case.opened", kind="violence"), made(2, "case/a", "case.classified", kind="theft")]
    ended = [made(3, "case/a", "case.resolved"), made(4, "case/a", "case.reopened", reason="new_evidence")]
    stream = [*kinds, *ended, made(5, "case/a", "case.classified", kind="violence"), made(6, "case/a", "case.decided")]
    on = {told.row.position: {UUID(token).int for token in tokens} for told, tokens in follow(stream).values()}
    assert (on[3], on[4], on[5], on[6]) == ({1, 2}, {1, 2, 3}, {1, 2, 4}, {1, 4, 5})


def test_what_is_said_of_a_case_rests_on_what_was_merged_into_it_being_the_same() -> None:
    stream = [
        made(1, "case/a", "case.opened", kind="violence"),
        made(2, "case/b", "case.opened", kind="violence"),
        made(3, "case/b", "case.merged", into="a"),
        made(4, "case/a", "case.merged", absorbed="b"),
        made(5, "case/a", "case.assessed"),
        made(6, "case/b", "case.merge_reversed", into="a"),
        made(7, "case/a", "case.merge_reversed", absorbed="b"),
        made(8, "case/a", "case.decided"),
    ]
    on = {told.row.position: {UUID(token).int for token in tokens} for told, tokens in follow(stream).values()}
    assert on[5] == {1, 2, 3, 4}
    assert {3, 4} <= on[8]  # by the assessment, which was made of both
    assert [[e.row.position for e in taken_back(stream[n], [stream[n - 3], stream[n]])] for n in (5, 6)] == [[3], [4]]


def test_an_alert_takes_back_the_one_that_it_names() -> None:
    first, second = alert(1, 0, 3), alert(2, 3, 2)
    naming = made(3, f"alert/{UNIT}", ALERT, cancels=str(UUID(int=2)))
    assert taken_back(naming, [first, second, naming]) == (second,)


def test_the_level_of_a_made_up_log_is_what_the_fold_says() -> None:
    log = begun().opened("a").assessed("a")
    assert [change.data["to"] for change in derived(log.events)] == [after for _, after, _ in stood(log).told()]
