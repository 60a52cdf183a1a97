"""Nobody who acted for a recipient, or for whom somebody acted as one, checks what the recipient says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from events.case import referral
from events.case.refusals import RecipientChecksItself
from events.vocabulary import Role
from services.acts import case as case_acts
from tests.support.history import Story
from tests.unit.desk.referrals import refer, register_clinic


async def test_a_nurse_does_not_check_what_was_typed_in_for_her_nor_has_it_checked_for_her(
    story: Story, opened: Callable[[], Awaitable[UUID]]
) -> None:
    case_id = await opened()
    await register_clinic(story)
    referral_id = await refer(story, case_id)
    complete = story.order(
        "esther", Role.RECIPIENT, referral.Complete, case_id, referral_id=referral_id, successful=True
    )
    await case_acts.act(story.network, replace(complete, on_behalf_of=story.people["deo"]), case_id)
    check = story.order(
        "chantal", Role.REVIEWER, referral.CheckOutcome, case_id, referral_id=referral_id, outcome="confirmed"
    )
    for who, for_whom in (("esther", None), ("deo", None), ("chantal", "deo"), ("chantal", "esther")):
        by = replace(check, person_id=story.people[who], on_behalf_of=story.people[for_whom] if for_whom else None)
        with pytest.raises(RecipientChecksItself):
            await case_acts.act(story.network, by, case_id)
    await case_acts.act(story.network, replace(check, on_behalf_of=story.people["bede"]), case_id)
