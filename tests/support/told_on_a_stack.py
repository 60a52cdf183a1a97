"""The rich history told once on the stack that `intabaza up` starts, by the acts themselves and no API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from services.acts.network import Committee
from services.gazetteer import read_gazetteer
from services.vault.master import MasterKey
from services.wiring import open_network
from tests.support.history import PHONES, Story, tell
from tests.support.stack import Stack

SOURCE = "urn:intabaza:acceptance"
GAZETTEER = Path(__file__).parents[2] / "deploy" / "gazetteer" / "burundi"


@asynccontextmanager
async def a_history_on(stack: Stack) -> AsyncIterator[Story]:
    """The story when everything was told, each part under its own role, and the network to go on with."""
    addresses = stack.addresses
    async with open_network(
        addresses.app_dsn,
        addresses.vault_dsn,
        MasterKey.read(stack.settings.master_key_file),
        read_gazetteer(GAZETTEER),
        Committee(frozenset(), 2),
        zone=ZoneInfo("Africa/Bujumbura"),
        source=SOURCE,
    ) as network:
        people = {name: await network.desk.persons.person_by_phone(phone) for name, phone in PHONES.items()}
        members = frozenset(people[name] for name in ("bede", "chantal", "deo", "esther"))
        told = Story(replace(network, committee=Committee(members, 2)), people)
        await tell(told)
        yield told
