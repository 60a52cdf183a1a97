"""What is in force is followed while the API runs: gazetteer, rules, committee, and a scenario's clock."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from events.command import Command, read_command
from events.places.gazetteer import Gazetteer
from events.reference import AdoptGazetteer, AdoptRules
from events.vocabulary import Role
from services import clock
from services.acts import in_force as following
from services.acts.beginning import begin
from services.acts.in_force import InForce, NotBegun
from services.acts.reference import act_at
from services.desk.desk import Desk
from services.desk.order import Order
from services.gazetteer import read_gazetteer
from services.ledger.ledger import LedgerUnavailable, Recorded
from services.ledger.memory import MemoryLedger
from services.signs import Signs
from services.vault.commands import CommandIds
from services.vault.master import MasterKey
from services.vault.memory import MemoryVault
from services.vault.opening import Opener
from services.vault.sealing import Sealer
from services.vault.used import UsedInMemory

DEPLOY = Path(__file__).parents[3] / "deploy"
GAZETTEER = read_gazetteer(DEPLOY / "gazetteer" / "burundi")
RULES = (DEPLOY / "rules" / "burundi.toml").read_text("utf-8")
LONG_AGO = datetime(2015, 4, 26, 6, tzinfo=UTC)


class LedgerThatGoesAway(MemoryLedger):
    away = False

    async def read_stream(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        if self.away:
            raise LedgerUnavailable("it is away")
        return await super().read_stream(stream, after_version)


@dataclass
class Running:
    """What an API process holds while others adopt, seat, and set the clock."""

    ledger: LedgerThatGoesAway
    vault: MemoryVault
    desk: Desk
    opener: Opener
    in_force: InForce

    async def adopt(self, command: type[Command], **fields: object) -> None:
        await act_at(self.desk, Order(uuid4(), Role.ADMIN, str(uuid4()), read_command(command, fields), "reference"))

    async def adopt_gazetteer(self, gazetteer: Gazetteer) -> None:
        content = gazetteer.content()
        await self.adopt(AdoptGazetteer, gazetteer="bi", content=content, content_hash=gazetteer.content_hash)

    async def adopt_rules(self, text: str) -> None:
        hashed = sha256(text.encode()).hexdigest()
        await self.adopt(AdoptRules, rule_set="burundi", content=text, content_hash=hashed)


def running(ledger: LedgerThatGoesAway) -> Running:
    vault, ids = MemoryVault(), CommandIds(MasterKey(secrets.token_bytes(32)))
    in_force = InForce(ledger, vault)
    source = "urn:intabaza:test"
    signs = Signs(vault, ledger, vault, ids, zone=UTC, source=source)
    desk = Desk(ledger, Sealer(vault), vault, vault, ids, signs, clock=in_force.now, zone=UTC, source=source)
    return Running(ledger, vault, desk, Opener(vault, ledger, ids, "urn:intabaza:test", UsedInMemory()), in_force)


@pytest.fixture
async def api() -> Running:
    return running(LedgerThatGoesAway())


@pytest.fixture
async def begun(api: Running) -> Running:
    await begin(api.desk, uuid4(), GAZETTEER.with_division_in_force("2015"), RULES)
    await api.in_force.look()
    return api


async def test_before_both_are_adopted_nothing_can_be_done_and_what_is_missing_is_said(api: Running) -> None:
    await api.in_force.look()
    with pytest.raises(NotBegun, match="no gazetteer and no rule set"):
        api.in_force.network(api.desk, api.opener)
    await api.adopt_rules(RULES)
    await api.in_force.look()
    with pytest.raises(NotBegun, match="no gazetteer is adopted"):
        api.in_force.network(api.desk, api.opener)
    await api.adopt_gazetteer(GAZETTEER)
    await api.in_force.look()
    assert api.in_force.network(api.desk, api.opener).gazetteer == GAZETTEER


async def test_another_division_is_in_force_as_soon_as_it_was_seen(begun: Running) -> None:
    before = begun.in_force.network(begun.desk, begun.opener)
    await begun.adopt_gazetteer(before.gazetteer.adopt(GAZETTEER.with_division_in_force("2025")))
    assert begun.in_force.network(begun.desk, begun.opener).gazetteer.division == "2015"
    await begun.in_force.look()
    after = begun.in_force.network(begun.desk, begun.opener)
    assert after.gazetteer.division == "2025"
    assert before.gazetteer.division == "2015", "who began before goes on as they began"
    assert {unit: after.gazetteer.home_of(unit) for unit in before.gazetteer.units} == {
        unit: before.gazetteer.home_of(unit) for unit in before.gazetteer.units
    }


async def test_other_rules_say_how_many_must_agree_and_how_soon(begun: Running) -> None:
    rule = begun.in_force.network(begun.desk, begun.opener).committee
    assert (rule.required, rule.ratify_within) == (2, timedelta(hours=48))
    stricter = RULES.replace("required = 2", "required = 3").replace(
        "ratify_within_hours = 48", "ratify_within_hours = 24"
    )
    await begun.adopt_rules(stricter)
    await begun.in_force.look()
    rule = begun.in_force.network(begun.desk, begun.opener).committee
    assert (rule.required, rule.ratify_within) == (3, timedelta(hours=24))


async def test_who_takes_a_seat_votes_and_who_gives_it_back_does_not(begun: Running) -> None:
    aline, bede = uuid4(), uuid4()
    assert begun.in_force.members == frozenset()
    await begun.vault.seat(aline, sits=True)
    await begun.vault.seat(bede, sits=True)
    await begun.in_force.look()
    assert begun.in_force.network(begun.desk, begun.opener).committee.members == {aline, bede}
    await begun.vault.seat(aline, sits=False)
    await begun.in_force.look()
    assert begun.in_force.network(begun.desk, begun.opener).committee.members == {bede}


async def test_a_scenarios_clock_is_what_the_desk_calls_now() -> None:
    api = running(LedgerThatGoesAway(simulated_from=LONG_AGO))
    assert abs(api.desk.now() - clock.now()) < timedelta(minutes=1)
    await api.in_force.look()
    assert api.in_force.simulated
    assert api.desk.now() == LONG_AGO
    await api.ledger.set_clock(LONG_AGO + timedelta(hours=5))
    assert api.desk.now() == LONG_AGO
    await api.in_force.look_at_the_clock()
    assert api.desk.now() == LONG_AGO + timedelta(hours=5)


async def test_the_clock_of_a_real_ledger_is_this_machines(begun: Running) -> None:
    assert not begun.in_force.simulated
    assert abs(begun.desk.now() - clock.now()) < timedelta(minutes=1)


async def test_while_the_ledger_is_away_what_was_read_last_stands_and_then_it_is_followed_again(
    begun: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0)
    stricter = RULES.replace("required = 2", "required = 3")
    await begun.adopt_rules(stricter)
    begun.ledger.away = True
    keeping = asyncio.create_task(begun.in_force.keep_looking())
    for _ in range(20):
        await asyncio.sleep(0)
    assert begun.in_force.network(begun.desk, begun.opener).committee.required == 2
    assert not keeping.done()
    begun.ledger.away = False
    async with asyncio.timeout(10):
        while begun.in_force.network(begun.desk, begun.opener).committee.required != 3:  # noqa: ASYNC110 - a task looks
            await asyncio.sleep(0)
    keeping.cancel()
