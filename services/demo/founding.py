"""How the network of a scenario begins: a simulated ledger, the gazetteer and rules of those days, a committee."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.acts.beginning import begin
from services.demo.cast import Cast
from services.demo.scenario import Scenario
from services.ledger.postgres import simulate
from services.local.addresses import find_addresses
from services.settings import Settings
from services.wiring import open_desk

BEFORE = timedelta(hours=1)
"""Everything is adopted so long before the first midnight, which then ticks like every other."""


async def found(settings: Settings, scenario: Scenario, cast: Cast, begins: datetime) -> None:
    """What `intabaza begin --simulated-from` and `intabaza committee add` do, on a stack that is up and empty."""
    await simulate(find_addresses(settings).owner_dsn, begins - BEFORE)
    async with open_desk(settings) as desk:
        await begin(desk, cast.admin.person_id, scenario.gazetteer, scenario.rules)
        for member in cast.reviewers:
            await desk.persons.seat(member.person_id, sits=True)
