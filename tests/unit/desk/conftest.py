"""A desk without a server: ledger and vault in memory, the real gazetteer, and the people of the rich history."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from events.vocabulary import Role
from services import clock
from services.acts.network import Committee, Network
from services.desk.desk import Desk
from services.gazetteer import read_gazetteer
from services.ledger.memory import MemoryLedger
from services.signs import Signs
from services.vault.commands import CommandIds
from services.vault.master import MasterKey
from services.vault.memory import MemoryVault
from services.vault.opening import Opener
from services.vault.sealing import Sealer
from services.vault.used import UsedInMemory
from tests.support.history import GIHANGA, PHONES, Story

GAZETTEER = Path(__file__).parents[3] / "deploy" / "gazetteer" / "burundi"


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault()


@pytest.fixture
async def story(vault: MemoryVault) -> Story:
    ledger = MemoryLedger(key_lives=vault.lives)
    ids = CommandIds(MasterKey(secrets.token_bytes(32)))
    source, zone = "urn:intabaza:test", timezone(timedelta(hours=2))
    signs = Signs(vault, ledger, vault, ids, zone=zone, source=source)
    desk = Desk(ledger, Sealer(vault), vault, vault, ids, signs, clock=clock.now, zone=zone, source=source)
    people = {name: await vault.person_by_phone(phone) for name, phone in PHONES.items()}
    members = frozenset(people[name] for name in ("bede", "chantal", "deo", "esther"))
    opener = Opener(vault, ledger, ids, source, UsedInMemory())
    return Story(Network(desk, opener, read_gazetteer(GAZETTEER), Committee(members, 2)), people)


@pytest.fixture
def opened(story: Story) -> Callable[[], Awaitable[UUID]]:
    """Opens another case in Gihanga, for a threat to life."""

    async def open_one() -> UUID:
        return await story.open(
            "fabien",
            Role.COORDINATOR,
            kind="violence",
            unit=GIHANGA,
            threat_to_life=True,
            provisional=True,
            summary=story.text("summary"),
        )

    return open_one
