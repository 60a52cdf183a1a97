"""Reporters who check in on a database, and `python -m tests.support.signing`: one process that records their signs.

The process is told by a line of JSON on its input and says on its output when it has come to a step, where it stays
until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from events import reporter as reporters
from events.catalogue import read
from events.command import Command, read_command
from events.envelope import Envelope
from events.report.decisions import Receive, Supersede
from events.reporter import ReporterCheckedIn
from events.vocabulary import Role
from services.acts import report as report_acts
from services.acts import reporter as reporter_acts
from services.acts.network import Committee, Network
from services.desk.order import Order
from services.gazetteer import read_gazetteer
from services.ledger.ledger import Accepted, Submission
from services.signs import Held
from services.vault.master import MasterKey
from services.wiring import open_network

ZONE = ZoneInfo("Africa/Bujumbura")
GIHANGA = "bi:c2015:gihanga"
GAZETTEER = Path(__file__).parents[2] / "deploy" / "gazetteer" / "burundi"
COORDINATOR = uuid4()


@dataclass
class Signing:
    """A network on a database, and its reporters."""

    network: Network
    secret: bytes
    reporters: list[UUID] = field(default_factory=list)

    @property
    def home(self) -> str:
        return self.network.gazetteer.home_of(GIHANGA)

    async def set_clock(self, moment: datetime) -> None:
        """Of the ledger, and of who acts here."""
        await self.network.desk.ledger.set_clock(moment)
        self.network.desk._clock = lambda: moment

    async def enrol(self, count: int, home: str | None = None) -> None:
        for _ in range(count):
            person = uuid4()
            self.reporters.append(person)
            order = self._order(reporters.Enrol, COORDINATOR, languages=["rn"], channels=["sms"], trained=True)
            await reporter_acts.act(self.network, order, person, home or self.home)

    async def cover(self, person: UUID, cadence_days: int) -> None:
        order = self._order(
            reporters.AssignCoverage, COORDINATOR, units=[GIHANGA], channel="sms", cadence_days=cadence_days
        )
        await reporter_acts.act(self.network, order, person, self.home)

    async def report(self, person: UUID, **fields: Any) -> UUID:
        """A message of theirs, which came in now."""
        received_at = self.network.desk.now()
        said = {"channel": "sms", "language": "rn", "kind": "tension", "text": "Hari umwuka mubi ku isoko."}
        fields = said | {"received_at": received_at} | fields
        order = self._order(Receive, person, **fields)
        await report_acts.receive(self.network, order, person)
        return report_acts.report_id_of(self.network, order)

    async def supersede(self, report_id: UUID) -> None:
        """It is received again, in Gihanga."""
        order = self._order(Supersede, COORDINATOR, unit=GIHANGA, place_precision="commune")
        await report_acts.supersede(self.network, order, report_id)

    async def check_in(self, person: UUID, on: date, **fields: Any) -> Held:
        order = self._order(reporters.CheckIn, person, on=on, channel="sms", nothing_to_report=True, **fields)
        return await reporter_acts.check_in(self.network, order, person, self.home)

    async def recorded(self) -> list[Envelope[ReporterCheckedIn]]:
        """Every sign on the log, in order."""
        return [
            envelope  # type: ignore[misc]
            for row in await self.network.desk.ledger.read(0, 100_000)
            if isinstance((envelope := read(row.wire())).data, ReporterCheckedIn)
        ]

    def _order(self, command: type[Command], person: UUID, **fields: Any) -> Order[Any]:
        role = Role.COORDINATOR if person == COORDINATOR else Role.REPORTER
        return Order(person, role, str(uuid4()), read_command(command, fields), "reporter")


@asynccontextmanager
async def signing(app_dsn: str, vault_dsn: str, secret: bytes) -> AsyncIterator[Signing]:
    """A network on a migrated database whose vault has this master key."""
    gazetteer, committee = read_gazetteer(GAZETTEER), Committee(frozenset(), 1)
    async with open_network(
        app_dsn, vault_dsn, MasterKey(secret), gazetteer, committee, zone=ZONE, source="urn:intabaza:test"
    ) as network:
        there = Signing(network, secret)
        if (moment := await network.desk.ledger.simulated_clock()) is not None:
            await there.set_clock(moment)
        yield there


@asynccontextmanager
async def recording_elsewhere(app_dsn: str, vault_dsn: str, secret: bytes, stay_at: str = "") -> AsyncIterator[Any]:
    """A process that records what is held, once; `stay_at` names the step at which it stays: gathered or appended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    told = {"app_dsn": app_dsn, "vault_dsn": vault_dsn, "secret": secret.hex(), "stay_at": stay_at}
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    await process.stdin.drain()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _record(app_dsn: str, vault_dsn: str, secret: str, stay_at: str) -> None:
    async with signing(app_dsn, vault_dsn, bytes.fromhex(secret)) as there:
        signs, ledger = there.network.desk.signs, there.network.desk.ledger
        append, gather = ledger.append, signs.store.gather

        async def stay() -> None:
            print(stay_at, flush=True)
            await asyncio.Event().wait()

        async def then_stay(submission: Submission) -> Accepted:
            accepted = await append(submission)
            await stay()
            return accepted

        async def gathered(*asked: Any) -> Any:
            await gather(*asked)
            await stay()

        if stay_at == "appended":
            ledger.append = then_stay  # type: ignore[method-assign]
        elif stay_at == "gathered":
            signs.store.gather = gathered  # type: ignore[method-assign, assignment]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await signs.look()
        print("recorded", flush=True)


def days_of(events: Sequence[Envelope[ReporterCheckedIn]]) -> list[tuple[str, date]]:
    """Which sign each event is of, in no order."""
    return sorted((event.subject, event.data.on) for event in events)


def at(day: date, hour: int) -> datetime:
    """An hour of the local day."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


if __name__ == "__main__":
    asyncio.run(_record(**json.loads(sys.stdin.readline())))
