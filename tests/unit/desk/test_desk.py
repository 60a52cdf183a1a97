"""The desk without a server: repeats, modes, and what a decision read staying as it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import SecretStr

from events.case import judging, opening
from events.case.refusals import NoSuchCase
from events.report import decisions as reports
from events.report.refusals import ReportWithdrawnAlready
from events.vocabulary import Mode, Role
from services.acts import case as case_acts
from services.acts import report as report_acts
from services.desk.reading import AnotherMode
from services.ledger.ledger import CommandReused
from tests.support.history import GIHANGA, Story


async def test_a_repeat_that_would_now_be_refused_answers_as_the_first_time(story: Story) -> None:
    report_id = await story.receive("aline", text=story.text("text"))
    order = story.order("aline", Role.REPORTER, reports.Withdraw, report_id, reason="unsafe")
    first = await report_acts.act(story.network, order, report_id)
    again = await report_acts.act(story.network, order, report_id)
    assert (again.placed, again.repeated) == (first.placed, True)

    with pytest.raises(ReportWithdrawnAlready):
        await report_acts.act(story.network, replace(order, client_id="another"), report_id)
    with pytest.raises(CommandReused):
        await report_acts.act(story.network, replace(order, on_behalf_of=UUID(int=1)), report_id)


async def test_an_exercise_never_touches_an_actual_case(story: Story, opened: Callable[[], Awaitable[UUID]]) -> None:
    case_id = await opened()
    head = await story.network.desk.ledger.head()
    order = story.order("bede", Role.REVIEWER, judging.Decide, case_id, choice="monitor", reason=story.text("why"))
    with pytest.raises(AnotherMode):
        await case_acts.act(story.network, replace(order, mode=Mode.EXERCISE), case_id)
    assert await story.network.desk.ledger.head() == head


async def test_an_exercise_goes_its_own_way(story: Story) -> None:
    fields = {"kind": "violence", "unit": GIHANGA, "place_precision": "commune", "threat_to_life": True}
    order = story.order(
        "fabien", Role.COORDINATOR, opening.OpenCase, "case", **fields, provisional=True, summary=story.text("drill")
    )
    order = replace(order, mode=Mode.EXERCISE)
    await case_acts.open_case(story.network, order)
    case_id = case_acts.case_id_of(story.network, order)
    decision = story.order("bede", Role.REVIEWER, judging.Decide, case_id, choice="monitor", reason=story.text("why"))
    await case_acts.act(story.network, replace(decision, mode=Mode.EXERCISE), case_id)
    with pytest.raises(AnotherMode):
        await case_acts.act(story.network, replace(decision, client_id="another"), case_id)


async def test_an_order_in_a_log_or_traceback_tells_of_nobody(story: Story) -> None:
    deo, order = story.people["deo"], story.order("aline", Role.REPORTER, reports.Withdraw, "x", reason="unsafe")
    order = replace(order, on_behalf_of=deo, command=order.command.model_copy(update={"note": SecretStr("a note")}))
    for told in (str(story.people["aline"]), str(deo), order.client_id, "a note"):
        assert told not in repr(order)
    assert "unsafe" in repr(order)


async def test_acting_on_what_is_not_there_is_refused_and_writes_nothing(story: Story) -> None:
    order = story.order("bede", Role.REVIEWER, judging.Decide, UUID(int=9), choice="monitor", reason=story.text("why"))
    with pytest.raises(NoSuchCase):
        await case_acts.act(story.network, order, UUID(int=9))
    assert (await story.network.desk.ledger.head()).position == 0
