"""Whoever traces an event is told all that rested on it, also where what it takes back lies further behind."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from events.custody import LogCheckpointed, RecordViewed, ViewPurpose
from events.report.events import ReportReceived, ReportSuperseded
from services.trace.reading import Reader, TooMuch
from services.trace.shown import Shown
from services.trace.tracing import Untraced
from services.trace.tree import tree
from tests.support.domain import HOME, one
from tests.support.levels import UNIT, Log
from tests.support.traced import listed, traced
from tests.support.written import Written

ELSEWHERE = "commune:ngozi"


def begun() -> Log:
    return Log().rules().engine()


def changes(found: list[Any]) -> list[str]:
    return [one["change"] for one in found]


def last(log: Written) -> int:
    return log.events[-1].position


async def test_the_first_assessment_of_a_provisional_case_lists_the_alert_that_its_opening_raised() -> None:
    log = begun().opened("a", severity="extreme", threat=True, provisional=True, reports=("r1",)).after(hours=2)
    log.assessed("a", "minor", "4")
    found = await traced(log, last(log))
    assert changes(listed(found.led_to, "alerts")) == ["cancelled"]
    assert [one.row.type for one in found.takes_back] == ["case.opened"]
    (raised,) = [one for one in found.resting.events["alerts"] if one.told.data["change"] == "raised"]
    assert str(found.led_to.events["alerts"][0].told.data["cancels"]) == raised.key
    assert [one["to"] for one in listed(found.resting, "level_changes")][:1] == [raised.told.data["to"]]


async def test_a_third_assessment_lists_the_alert_that_the_first_one_raised() -> None:
    log = begun().opened("a", reports=("r1",)).after(hours=1).assessed("a", "extreme").after(hours=1)
    log.assessed("a", "extreme").after(hours=1).assessed("a", "minor", "4")
    found = await traced(log, last(log))
    assert [one.row.type for one in found.takes_back] == ["case.assessed", "case.assessed", "case.opened"]
    assert changes(listed(found.led_to, "alerts")) == ["cancelled"]
    assert "raised" in changes(listed(found.resting, "alerts"))
    raised = next(one for one in found.resting.events["alerts"] if one.told.data["change"] == "raised")
    assert str(found.takes_back[1].row.event_id) in raised.on


async def test_what_came_after_an_assessment_rested_on_it_and_no_more_on_the_opening() -> None:
    log = begun().opened("a", severity="extreme", threat=True, provisional=True, reports=("r1",)).after(hours=2)
    log.assessed("a", "extreme")
    assessed = last(log)
    log.after(hours=1).resolved("a")
    found = await traced(log, assessed)
    assessed_id, opened_id = str(found.event.row.event_id), str(found.takes_back[0].row.event_id)
    (resolved,) = found.resting.events["decisions"]
    assert resolved.on == (assessed_id,)
    raised = next(one for one in found.resting.events["level_changes"] if opened_id in one.on)
    assert assessed_id not in raised.on


async def test_a_correction_leads_back_along_all_the_alerts_in_whose_place_it_came() -> None:
    log = begun().opened("a", reports=("r1",)).after(hours=1).assessed("a", "severe").after(days=1)
    log.opened("b", reports=("r2",)).after(hours=1).assessed("b", "extreme").after(hours=1)
    log.assessed("b", "minor", "4")
    found = await traced(log, last(log))
    corrected = found.led_to.events["alerts"]
    assert changes(listed(found.led_to, "alerts")) in (["corrected"], ["cancelled"])
    ids = {one.key for one in (*found.resting.events["alerts"], *corrected)}
    named = {one.told.data.get(name) for one in found.resting.events["alerts"] for name in ("updates", "cancels")}
    assert {id_ for id_ in named if id_ is not None} <= ids
    told_first = found.resting.events["alerts"][0]
    assert (told_first.on, told_first.told.data.get("updates")) == ((), None)
    assert {one["to"] for one in listed(found.resting, "level_changes")} >= {told_first.told.data["to"]}


async def test_a_report_received_again_takes_back_what_rested_on_it_in_its_first_home() -> None:
    log = begun().received("r1").opened("a", reports=("r1",)).after(hours=1).assessed("a", "extreme").after(hours=1)
    moved(log, "r1", "r2").after(hours=1).withdrawn("r2", home=ELSEWHERE)
    found = await traced(log, last(log))
    assert [one.row.stream for one in found.takes_back] == [f"report/{one('r2')}"]
    assert len(listed(found.resting, "judgements")) == 1
    assert "raised" in changes(listed(found.resting, "alerts"))
    again = next(event.position for event in log.events if event.stream == f"report/{one('r2')}")
    assert "raised" in changes(listed((await traced(log, again)).resting, "alerts"))


async def test_a_person_is_shown_nothing_of_the_home_that_a_report_came_from_unless_it_is_in_their_area() -> None:
    log = begun().received("r1").opened("a", reports=("r1",)).after(hours=1).assessed("a", "extreme").after(hours=1)
    moved(log, "r1", "r2")
    again = last(log)
    everything = Shown(await traced(log, again), lambda _: True).document()
    theirs = Shown(await traced(log, again), lambda unit: unit == ELSEWHERE).document()
    assert everything["resting"]["alerts"]
    assert everything["outside_your_area"] == 0
    assert theirs["outside_your_area"] > 0
    assert theirs["event"] == everything["event"]
    shown = str({name: told for name, told in theirs.items() if name != "event"})
    for secret in (f"report/{one('r1')}", str(one("a")), UNIT):
        assert secret in str(everything)
        assert secret not in shown


async def test_what_was_opened_leads_to_the_event_that_was_and_is_shown_to_whoever_sees_everything() -> None:
    log = begun().received("r1").opened("a", reports=("r1",))
    viewed = {"viewed": f"report/{one('r1')}", "viewed_version": 1, "viewed_type": "report.received"}
    log.write(f"custody/{one('r1')}", RecordViewed(**viewed, fields=("text",), purpose=ViewPurpose.REVIEW))
    found = await traced(log, last(log))
    assert [each.told.row.stream for each in found.rests_on] == [f"report/{one('r1')}"]
    assert Shown(found, lambda _: True).sees(found.event)
    assert not Shown(found, lambda unit: unit == UNIT).sees(found.event)
    assert Shown(found, lambda _: True).document()["event"]["says"] == viewed | {"purpose": "review"}


async def test_a_checkpoint_is_not_said_to_rest_on_nothing() -> None:
    log = begun().received("r1")
    size, root = last(log), b64encode(bytes(32)).decode()
    log.write("custody/log", LogCheckpointed(size=size, root=root, note="a note"))
    document = Shown(await traced(log, last(log)), lambda _: True).document()
    assert document["event"]["says"] == {"size": size, "root": root}
    (branch,) = [one for one in tree(document).children if one.label == "It rested on"]
    assert [str(one.label) for one in branch.children] == [
        f"every position up to {size}, as it was written: `intabaza audit prove POSITION --size {size}` proves one, "
        "`intabaza audit verify` looks at all"
    ]


async def test_what_every_level_stands_on_is_not_said_to_have_nothing_on_it() -> None:
    log = begun().opened("a", severity="extreme", threat=True, provisional=True, reports=("r1",))
    rules, opened = await traced(log, 1), await traced(log, last(log))
    assert rules.event.row.type == "reference.rules_adopted"
    assert not Shown(rules, lambda _: True).document()["complete"]
    assert any("none is listed for that" in one for one in rules.sources.levels.because)
    assert opened.sources.complete


async def test_who_watches_is_not_traced() -> None:
    log = begun().assigned("x")
    with pytest.raises(Untraced, match=r"reporter\.coverage_assigned"):
        await traced(log, last(log))


async def test_a_merging_that_is_reversed_lists_what_was_judged_of_both() -> None:
    log = begun().opened("a").opened("b", reports=("r1",)).after(hours=1).merged("b", into="a").after(hours=1)
    log.assessed("a", "extreme").after(hours=1).merge_reversed("b", into="a")
    found = await traced(log, last(log))
    assert [each.row.type for each in found.takes_back] == ["case.merged"]
    assert "case.assessed" in [each.told.row.type for each in found.resting.events["judgements"]]
    assert "raised" in changes(listed(found.resting, "alerts"))


async def test_a_kind_that_was_wrong_lists_what_was_told_of_it() -> None:
    log = begun().opened("a", reports=("r1",)).after(hours=1).assessed("a", "extreme").after(hours=1)
    log.classified("a", "nothing_to_report")
    found = await traced(log, last(log))
    assert [each.row.type for each in found.takes_back] == ["case.opened"]
    assert "raised" in changes(listed(found.resting, "alerts"))


def moved(log: Log, report: str, again: str) -> Log:
    """A report is superseded, and received again in another home."""
    log.write(f"report/{one(report)}", superseded(again))
    first = next(event for event in log.events if event.stream == f"report/{one(report)}").data
    log.write(f"report/{one(again)}", received_again(first, report), home=ELSEWHERE)
    return log


def superseded(again: str) -> Any:
    return ReportSuperseded(received_again_as=one(again), home=ELSEWHERE)


def received_again(first: Any, report: str) -> Any:
    carried = {
        "supersedes": str(one(report)),
        "first_received_as": str(one(report)),
        "received_before": [str(one(report))],
        "round": 1,
        "reliability": "unknown",
        "credibility": "unknown",
    }
    place = {"unit": ELSEWHERE, "precision": "commune", "gazetteer": "g"}
    return ReportReceived.model_validate({**first, "place": place, "carried": carried})


@pytest.mark.parametrize("asked", ["messages", "tied_to", "at", "streams"])
async def test_what_would_be_cut_is_refused_and_never_left_out(asked: str) -> None:
    async def three_rows(*_: object) -> Any:
        return [{"stream": "case/a", "position": 1}] * 3

    reader = Reader(three_rows, 9, most=2)
    questions: dict[str, Any] = {
        "messages": lambda: reader.messages([UUID(int=1)]),
        "tied_to": lambda: reader.tied_to(["report/a"]),
        "at": lambda: reader.at([(datetime(2027, 1, 1, tzinfo=UTC), HOME)]),
        "streams": lambda: reader.streams(["case/a"]),
    }
    with pytest.raises(TooMuch, match="More than 2 "):
        await questions[asked]()
