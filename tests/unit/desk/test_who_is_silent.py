"""Who is asked after: whoever covers places, as long as they do, in the area of who asks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone

from events import reporter as reporters
from projections.rule_set import CoverageRule
from services import clock
from services.silence import Silence, Silent
from services.vault.memory import MemoryVault
from tests.support.history import ELSEWHERE, GIHANGA, Story

ZONE = timezone(timedelta(hours=2))
RULE = CoverageRule(missed=2, told_within_days=1, high_from=800, medium_from=500)
CADENCE = 7
WAITS = RULE.missed * CADENCE + 1
"""After so many days without a sign somebody is silent."""


def in_days(days: int) -> datetime:
    return clock.now() + timedelta(days=days)


def today() -> date:
    return clock.now().astimezone(ZONE).date()


async def assigned(story: Story, *names: str, unit: str = GIHANGA) -> str:
    home = story.network.gazetteer.home_of(unit)
    for name in names:
        await story.reporter(name, reporters.Enrol, home, languages=["rn"], channels=["sms"], trained=True)
        covering = {"units": [unit], "channel": "sms", "cadence_days": CADENCE}
        await story.reporter(name, reporters.AssignCoverage, home, **covering)
    return home


async def silent(story: Story, vault: MemoryVault, at: datetime, units: Collection[str] | None = None) -> list[Silent]:
    silence = Silence(story.network.desk.ledger, vault, vault, ZONE)
    homes = None if units is None else {story.network.gazetteer.home_of(unit) for unit in units}
    return [*await silence.silent(at, RULE, homes, lambda unit: units is None or unit in units)]


async def names(story: Story, vault: MemoryVault, at: datetime, units: Collection[str] | None = None) -> list[str]:
    by_id = {person: name for name, person in story.people.items()}
    return [by_id[one.person_id] for one in await silent(story, vault, at, units)]


async def test_who_missed_their_cadences_is_silent_from_the_day_after(story: Story, vault: MemoryVault) -> None:
    await assigned(story, "aline")
    assert await silent(story, vault, in_days(WAITS - 1)) == []
    (one,) = await silent(story, vault, in_days(WAITS))
    assert one == Silent(
        person_id=story.people["aline"],
        units=(GIHANGA,),
        channel="sms",
        cadence_days=CADENCE,
        last_sign=today(),
        silent_since=today() + timedelta(days=WAITS),
    )


async def test_who_stood_down_covers_nothing_or_lies_elsewhere_is_nobody_to_ask_after(
    story: Story, vault: MemoryVault
) -> None:
    home = await assigned(story, "aline", "bede")
    await assigned(story, "chantal", unit=ELSEWHERE)
    await story.reporter("deo", reporters.Enrol, home, languages=["rn"], channels=["sms"], trained=True)
    await story.reporter("bede", reporters.StandDownReporter, home, reason="own_wish")
    at = in_days(WAITS)
    assert sorted(await names(story, vault, at)) == ["aline", "chantal"]
    assert await names(story, vault, at, {GIHANGA}) == ["aline"]
    assert await names(story, vault, at, {ELSEWHERE}) == ["chantal"]


async def test_who_was_erased_is_not_asked_after(story: Story, vault: MemoryVault) -> None:
    await assigned(story, "aline", "bede")
    await vault.erase(story.people["aline"])
    assert await names(story, vault, in_days(WAITS)) == ["bede"]
