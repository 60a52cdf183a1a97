"""What an act asks elsewhere before the domain decides: where a unit lies, how the cited reports stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from events.case import ending, opening
from events.case.refusals import LinkedAlready, NothingGraded, ReportDoesNotStand, ReportElsewhere
from events.refusals import BadInput
from events.report import decisions as reports
from events.report.refusals import AnotherHome, NoQuorum
from events.vocabulary import Flag, Role
from services.acts.network import UNPLACED
from services.desk.reading import Reading
from tests.support.history import ELSEWHERE, GIHANGA, MPANDA, Story

Opened = Callable[[], Awaitable[UUID]]
OFFICER = Role.REFERRAL_OFFICER


def reading(story: Story) -> Reading:
    return Reading(story.network.desk.ledger, UUID(int=1))


async def correct(story: Story, report_id: UUID, unit: str) -> None:
    fields = {"unit": unit, "place_precision": "commune", "reason": story.text("better place")}
    await story.report("fabien", Role.COORDINATOR, reports.Correct, report_id, **fields)


async def test_a_correction_places_a_report_better_inside_its_home(story: Story) -> None:
    report_id = await story.receive("aline", unit=GIHANGA, text=story.text("text"))
    await correct(story, report_id, MPANDA)
    content = (await reading(story).report(report_id)).content
    assert content is not None
    assert content.place == story.network.located(MPANDA, content.place.precision)
    assert content.place.precision == "commune"


async def test_a_correction_into_another_home_or_to_no_place_is_refused(story: Story) -> None:
    report_id = await story.receive("aline", unit=GIHANGA, text=story.text("text"))
    with pytest.raises(AnotherHome):
        await correct(story, report_id, ELSEWHERE)
    with pytest.raises(BadInput, match="unit"):
        await correct(story, report_id, "bi:c2015:nowhere")


async def test_a_report_that_belongs_nowhere_known_after_all_says_so(story: Story) -> None:
    report_id = await story.receive("aline", unit=GIHANGA, text=story.text("text"))
    lost_id = await story.supersede("fabien", report_id, unit=UNPLACED, place_precision="unknown")
    found_id = await story.supersede("fabien", lost_id, unit=MPANDA, place_precision="commune")
    flags = []
    for one_id in (report_id, lost_id, found_id):
        content = (await reading(story).report(one_id)).content
        assert content is not None
        flags.append(content.flags)
    assert flags == [(), (Flag.UNPLACED,), ()]


async def graded(story: Story, unit: str = GIHANGA) -> UUID:
    report_id = await story.receive("aline", unit=unit, text=story.text("text"))
    await story.report("bede", Role.REVIEWER, reports.Grade, report_id, round=1, reliability="F", credibility="2")
    return report_id


async def closed(story: Story, opened: Opened) -> UUID:
    case_id = await opened()
    for_it = await story.vote(case_id, "bede", "chantal")
    await story.case("bede", Role.REVIEWER, opening.Ratify, case_id, in_favour=for_it)
    await story.case("fabien", OFFICER, ending.Close, case_id, reason=story.text("closed"))
    return case_id


async def reopen(story: Story, case_id: UUID, *report_ids: UUID) -> None:
    cited = [{"report_id": report_id} for report_id in report_ids]
    await story.case("fabien", OFFICER, ending.Reopen, case_id, reason="new_evidence", reports=cited)


async def test_a_reopening_links_the_reports_it_names(story: Story, opened: Opened) -> None:
    case_id = await closed(story, opened)
    report_ids = [await graded(story), await graded(story)]
    await reopen(story, case_id, *report_ids)
    case = await reading(story).case(case_id)
    assert (set(case.linked), case.stage) == (set(report_ids), "open")


async def test_a_reopening_on_reports_that_do_not_stand_here_is_refused(story: Story, opened: Opened) -> None:
    case_id = await closed(story, opened)
    withdrawn = await graded(story)
    await story.report("aline", Role.REPORTER, reports.Withdraw, withdrawn, reason="false")
    for report_id, refusal in (
        (withdrawn, ReportDoesNotStand),
        (UUID(int=9), ReportDoesNotStand),
        (await graded(story, ELSEWHERE), ReportElsewhere),
    ):
        with pytest.raises(refusal):
            await reopen(story, case_id, report_id)
    twice = await graded(story)
    with pytest.raises(LinkedAlready):
        await reopen(story, case_id, twice, twice)


async def test_a_case_that_was_not_ratified_is_reopened_on_a_graded_report(story: Story, opened: Opened) -> None:
    case_id = await opened()
    for_it = await story.vote(case_id, "bede", "chantal")
    await story.case(
        "bede", Role.REVIEWER, opening.NotRatify, case_id, in_favour=for_it, reason=story.text("too little")
    )
    with pytest.raises(NothingGraded):
        await reopen(story, case_id)
    await reopen(story, case_id, await graded(story))
    assert not (await reading(story).case(case_id)).not_ratified


async def test_only_the_committees_grades_conclude_a_report(story: Story) -> None:
    report_id = await story.receive("aline", unit=GIHANGA, text=story.text("text"))
    again_id = await story.supersede("fabien", report_id, unit=ELSEWHERE, place_precision="commune")
    view = {"round": 1, "reliability": "F", "credibility": "2"}
    for who in ("bede", "fabien"):
        await story.report(who, Role.REVIEWER, reports.Grade, again_id, **view)
    with pytest.raises(NoQuorum):
        await story.report("bede", Role.REVIEWER, reports.Conclude, again_id, **view)
    await story.report("chantal", Role.REVIEWER, reports.Grade, again_id, **view)
    await story.report("bede", Role.REVIEWER, reports.Conclude, again_id, **view)
    quorum = (await story.newest(f"report/{again_id}"))["quorum"]
    assert quorum == {"eligible": 4, "recused": 0, "required": 2, "for": 2}
