"""One running stack for a session of faults: two APIs, two relays, two processors, a notifier, a notary, PostgreSQL,
Kafka, a supervisor; and beside it somebody who is told of alerts by webhook.

Who strikes asks it for process ids and addresses; who drives load asks it for addresses and tokens. What a person would
do after a fault, `stand_up` does: start the stack again where it ended, start again what was given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import psutil

from events.vocabulary import Mode
from projections.live import LIVE
from projections.sql import named_queries
from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import Area
from services.local.addresses import Addresses
from services.local.folder import DataFolder
from services.local.process import Identity
from services.settings import child_environment
from services.wiring import open_desk
from tests.faults.cast import COMMITTEE, EVERYBODY, Person
from tests.faults.history import History
from tests.faults.moved import MovedClock
from tests.faults.receiver import ALL, GROUPED, INHIBITING, SOME, Receiver, a_receiver
from tests.faults.wires import KafkaWire, PostgresWire, opened
from tests.support.stack import Stack, a_stack

SQL = named_queries("tests.faults", "world.sql")

CHILD = {
    "api-1": "api",
    "api-2": "api-2",
    "relay-1": "relay",
    "relay-2": "relay-2",
    "processor-1": "processors",
    "processor-2": "processors-2",
    "notifier": "notifier",
    "notary": "notary",
    "postgres": "postgres",
    "kafka": "kafka",
}
"""What a process is called here, and by its supervisor."""

TWO_OF_EACH = {
    "INTABAZA_APIS": "2",
    "INTABAZA_NOTIFIERS": "1",
    "INTABAZA_NOTIFIER_HTTP": "true",
    "INTABAZA_NOTIFIER_NETWORKS": "127.0.0.0/8",
    "INTABAZA_NOTIFIER_ANSWER_SECONDS": "3",
    "INTABAZA_NOTIFIER_RETRY_SECONDS": "0.1",
    "INTABAZA_NOTIFIER_LONGEST_RETRY_SECONDS": "0.5",
    "INTABAZA_NOTARIES": "1",
    "INTABAZA_NOTARY_SECONDS": "1",
    "INTABAZA_RELAYS": "2",
    "INTABAZA_PROCESSORS": "2",
    "INTABAZA_API_REQUESTS_PER_SECOND": "0",
    "INTABAZA_API_STREAMS_PER_PERSON": "0",
}

GATHER_SECONDS = 1
"""How long a notice waits for more of its province."""

ROOT = Path(__file__).parents[2]
UP_SECONDS = 180.0
CALM_SECONDS = 180.0
LOOK_SECONDS = 0.1
TOKEN_LIFE = timedelta(hours=12)


class NotCalm(AssertionError):
    """The stack has not recovered within a generous time; the message says what is still amiss."""


def say(text: str) -> None:
    """Shown as it happens by `make faults`, and with the failure of a test."""
    print(text, file=sys.stderr, flush=True)


T = TypeVar("T")


async def until(what: str, look: Callable[[], Awaitable[T]], seconds: float) -> T:
    """What a look finds, as soon as it finds anything; NotCalm where `what` does not come in time."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        if time.monotonic() > deadline:
            raise NotCalm(f"After {seconds:g} s: {what}")
        await asyncio.sleep(LOOK_SECONDS)
    return found


@dataclass
class World:
    """The stack and what is known of it; made by `a_world`."""

    stack: Stack
    receiver: Receiver
    relay_kafka: KafkaWire = field(init=False)
    processors_postgres: PostgresWire = field(init=False)
    moved: MovedClock | None = None
    people: dict[str, UUID] = field(default_factory=dict)
    subscribers: dict[str, UUID] = field(default_factory=dict)
    """Who is told of alerts, once somebody is, by what the receiver calls them."""
    _addresses: Addresses | None = None
    _ports: dict[str, int] = field(default_factory=dict)
    _tokens: dict[Person, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.relay_kafka = KafkaWire(lambda: self._port("kafka"))
        self.processors_postgres = PostgresWire(lambda: self._port("postgres"))

    @property
    def wires(self) -> tuple[KafkaWire, PostgresWire]:
        """What stands between the relays and Kafka, and between the processors and PostgreSQL."""
        return self.relay_kafka, self.processors_postgres

    # --- what is where ----------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        return self.stack.folder

    @property
    def supervisor(self) -> int:
        """The supervisor's process id."""
        assert self.stack.supervisor is not None
        return self.stack.supervisor.pid

    def pid(self, name: str) -> int:
        """The process id that the supervisor last wrote for `api-1`, `relay-2`, `postgres` and so on."""
        return self.supervisor if name == "supervisor" else self.stack.pid(CHILD[name])

    def runs(self, name: str) -> bool:
        """Whether the process that the supervisor last wrote is there."""
        if name == "supervisor":
            return self.stack.supervisor is not None and self.stack.supervisor.poll() is None
        saved = self.stack.state.get("servers", {}).get(CHILD[name])
        return saved is not None and Identity.read(saved).runs()

    def family(self, name: str) -> list[psutil.Process]:
        """A process and everything it started; of the supervisor itself alone."""
        parent = psutil.Process(self.pid(name))
        return [parent] if name == "supervisor" else [parent, *parent.children(recursive=True)]

    @property
    def phones(self) -> dict[str, str]:
        """By which number each of the cast is enrolled, by the id under which they send."""
        return {str(self.people[person.name]): person.phone for person in EVERYBODY}

    @property
    def addresses(self) -> Addresses:
        """Where the servers listen; while the stack is down, where they did."""
        if self.stack.state:
            with contextlib.suppress(Exception):
                self._addresses = self.stack.addresses
        assert self._addresses is not None, "the stack was never up"
        return self._addresses

    @property
    def bootstrap(self) -> str:
        return self.addresses.bootstrap

    def dsn(self, role: str = "owner") -> str:
        """How `owner`, `app`, `vault` or `projector` logs in."""
        return str(getattr(self.addresses, f"{role}_dsn"))

    def api(self, number: int) -> str:
        """Where the first or the second API answers."""
        self._ports.update(self.stack.state.get("ports", {}))
        return f"http://127.0.0.1:{self._ports['api' if number == 1 else f'api-{number}']}"

    def _port(self, name: str) -> int | None:
        """Where a server listens now, if it does."""
        port = self.stack.state.get("ports", {}).get(name)
        return None if port is None else int(port)

    def now(self) -> datetime:
        """The time of day by which the stack goes."""
        return clock.now() + (self.moved.ahead if self.moved else timedelta(0))

    def token(self, person: Person) -> str:
        """A token of theirs that our own key signs."""
        if person not in self._tokens:
            issuer = TokenIssuer.of(self.stack.settings)
            bearer = Bearer(self.people[person.name], person.role, Area(None), person.recipient)
            self._tokens[person] = issuer.issue(bearer, self.now(), TOKEN_LIFE)
        return self._tokens[person]

    def forget_tokens(self) -> None:
        """The clock was set: what was issued before may be worth nothing."""
        self._tokens.clear()

    async def post(self, person: Person, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Send a command once; it must be accepted."""
        headers = {"Authorization": f"Bearer {self.token(person)}", "Idempotency-Key": key}
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(f"{self.api(1)}{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """Ask the database as its owner."""
        connection = await asyncpg.connect(self.dsn(), timeout=10)
        try:
            return list(await connection.fetch(query, *arguments, timeout=30))
        finally:
            connection.terminate()

    async def value(self, query: str, *arguments: Any) -> Any:
        rows = await self.rows(query, *arguments)
        return rows[0][0] if rows else None

    async def head(self) -> int:
        """The ledger's last position."""
        return int(await self.value(SQL["head"]))

    async def log_keys(self) -> list[str]:
        """By which the log is verified, the oldest first."""
        return (await self.command("log-keys", "list")).split()

    async def acknowledged(self) -> int:
        """Everything up to this position is on Kafka."""
        return int(await self.value(SQL["acknowledged"]) or 0)

    async def leading_relay(self, seconds: float = 60) -> str:
        """`relay-1` or `relay-2`, whichever leads."""
        return await until("no relay leads", self._leading_relay, seconds)

    async def _leading_relay(self) -> str:
        port = await self.value(SQL["leader_port"])
        for name in ("relay-1", "relay-2"):
            with contextlib.suppress(psutil.Error, KeyError):
                if any(
                    one.laddr and one.laddr.port == port
                    for one in psutil.Process(self.pid(name)).net_connections("tcp")
                ):
                    return name
        return ""

    # --- what a person does -----------------------------------------------------------------------------------------

    async def up(self) -> None:
        """Start the stack in its folder, and wait until it is up and both APIs are ready where it had begun."""
        with (self.folder / "supervisor.said").open("ab") as said:
            self.stack.supervisor = subprocess.Popen(  # noqa: ASYNC220 - it begins at once
                [sys.executable, "-m", "tests.faults.up", *(str(wire.port) for wire in self.wires)],
                cwd=ROOT,
                env=child_environment(self.stack.settings) | dict(self.stack.extra),
                stdout=said,
                stderr=said,
                text=True,
                process_group=0,
            )
        deadline = time.monotonic() + UP_SECONDS
        while not (self.stack.state.get("ready") and self.stack.state["supervisor"]["pid"] == self.supervisor):
            if not self.runs("supervisor"):
                raise NotCalm(f"The supervisor ended while it started:\n{self.supervisor_said()}")
            if time.monotonic() > deadline:
                raise NotCalm(f"The stack is not up after {UP_SECONDS:g} s:\n{self.supervisor_said()}")
            await asyncio.sleep(LOOK_SECONDS)
        self._addresses = self.stack.addresses

    async def stand_up(self) -> list[str]:
        """Start what no longer runs and would not come back by itself; returns what had to be done.

        Which that is the supervisor says a moment after a death, so each is waited for until it runs or is given up.
        """
        done = []
        deadline = time.monotonic() + CALM_SECONDS
        while missing := self._on_their_way_back():
            if not self.runs("supervisor"):
                await self.up()
                done.append("up")
            elif time.monotonic() > deadline:
                raise NotCalm(f"After {CALM_SECONDS:g} s {' and '.join(missing)} neither run nor are given up")
            else:
                await asyncio.sleep(LOOK_SECONDS)
        if given_up := list(self.stack.state.get("given_up", {})):
            await self.command("restart", *given_up)
            done.append(f"restart {' '.join(given_up)}")
        return done

    def _on_their_way_back(self) -> list[str]:
        """Who does not run, but for whom the supervisor has given up."""
        given_up = self.stack.state.get("given_up", {})
        return [one for one in ("supervisor", *CHILD) if not self.runs(one) and CHILD.get(one) not in given_up]

    async def subscribe(self, history: History) -> None:
        """Have every alert sent to the receiver, from the first one on, and to others there as they wish; what comes
        goes into the history."""
        await self.receiver.writes_into(history.file.absolute())
        wishes: Mapping[str, Mapping[str, Any]] = {
            ALL: {},
            SOME: {"minimum_level": 3, "changes": ["raised", "lowered"]},
            GROUPED: {"by_province": True},
            INHIBITING: {"inhibit": True},
        }
        for to, asked in wishes.items():
            words = [word for mode in Mode for word in ("--mode", mode.value)]
            words += [word for change in asked.get("changes", ()) for word in ("--change", change)]
            words += ["--minimum-level", str(asked["minimum_level"])] if "minimum_level" in asked else []
            words += ["--by-province", "--wait", str(GATHER_SECONDS)] if "by_province" in asked else []
            words += ["--inhibit"] if "inhibit" in asked else []
            said = await self.command("subscriber", "add", self.receiver.url(to), "--from", "1", *words)
            subscriber_id, secret = said.split()
            history.subscribed(to, subscriber_id, secret, **asked)
            self.subscribers[to] = UUID(subscriber_id)

    async def restart(self, name: str) -> None:
        """End one process and start it anew: a child by `intabaza restart`, a server with the whole stack."""
        if name in ("postgres", "kafka", "supervisor"):
            await self.end()
            await self.up()
        else:
            await self.command("restart", CHILD[name])

    async def end(self) -> None:
        """End the whole stack, as Ctrl-C does."""
        assert self.stack.supervisor is not None
        self.stack.supervisor.send_signal(signal.SIGINT)
        await asyncio.to_thread(self.stack.supervisor.wait, 120)

    async def command(self, *arguments: str) -> str:
        """Run one command of `intabaza`; it must succeed."""
        done = await asyncio.to_thread(self.stack.command, *arguments)
        if done.returncode:
            raise NotCalm(f"`intabaza {' '.join(arguments)}` said: {done.stdout}{done.stderr}")
        return done.stdout

    def supervisor_said(self, lines: int = 20) -> str:
        said = (self.folder / "supervisor.said").read_text(errors="replace")
        return "\n".join(said.splitlines()[-lines:])

    # --- until it is well again -------------------------------------------------------------------------------------

    async def calm(self, limit: float = CALM_SECONDS, *, nothing_kept_back: bool = False) -> int:
        """Wait until all that is in the ledger now is on Kafka, in every projection, told and signed, and both APIs are
        ready; returns up to which position that is. Where nothing is to be kept back from whoever is told by webhook,
        wait for that too."""
        deadline = time.monotonic() + limit
        amiss = "nothing was looked at"
        head: int | None = None
        while time.monotonic() < deadline:
            try:
                if head is None:
                    head = await self.head()
                amiss = await self._amiss(head)
                if not amiss and nothing_kept_back and (kept := await self.value(SQL["kept_back"])):
                    amiss = f"{kept} alerts are kept back still"
                if not amiss:
                    return head
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, httpx.HTTPError) as error:
                amiss = f"{type(error).__name__}: {error}"
            if not self.runs("supervisor"):
                raise NotCalm(f"The supervisor has ended:\n{self.supervisor_said()}")
            await asyncio.sleep(LOOK_SECONDS)
        raise NotCalm(f"After {limit:g} s it is still not calm: {amiss}")

    async def _amiss(self, head: int) -> str:
        dead = [name for name in CHILD if not self.runs(name)]
        if dead:
            return f"{' and '.join(dead)} not running"
        acknowledged = await self.value(SQL["acknowledged"])
        if (acknowledged or 0) < head:
            return f"on Kafka up to position {acknowledged} of {head}"
        sent = await self.rows(SQL["sent"])
        # what comes after that head is not waited for: under load there is always more
        to = [min(row[1], head) for row in sent]
        behind = await self.rows(SQL["behind"], [one.name for one in LIVE], [row[0] for row in sent], to)
        if behind or not sent:
            return f"not folded: {[tuple(row) for row in behind][:5]}"
        if parked := await self.rows(SQL["parked"]):
            return f"parked: {[tuple(row) for row in parked]}"
        if not_told := await self.rows(SQL["not_told"], head):
            return f"not told by webhook: {[tuple(row) for row in not_told]}"
        if not_signed := await self.value(SQL["not_signed"], head):
            return f"{not_signed} events not signed"
        if overdue := await self.value(SQL["signs_overdue"], self.stack.settings.zone):
            return f"{overdue} signs of life are overdue"
        async with httpx.AsyncClient(timeout=10) as client:
            for number in (1, 2):
                answer = await client.get(f"{self.api(number)}/readyz")
                if answer.status_code != 200:
                    return f"api-{number} is not ready: {answer.text}"
        return ""

    def logs(self, lines: int = 25) -> str:
        """The end of every log, to be said before a failure."""
        told = [f"--- supervisor\n{self.supervisor_said(lines)}"]
        for name, saved in (DataFolder(self.folder).state() or {}).get("servers", {}).items():
            with contextlib.suppress(OSError):
                text = Path(saved["log"]).read_text(errors="replace").splitlines()
                told.append(f"--- {name}\n" + "\n".join(text[-lines:]))
        return "\n".join(told)


@asynccontextmanager
async def a_world(moved: MovedClock | None = None, **extra: str) -> AsyncIterator[World]:
    """A stack that is up and has begun, with everybody known; `extra` goes into the environment of all of it.

    It goes by the machine's clock, or by one that may be moved. Where the block fails, the end of every log is said
    first: what was amiss is then the last that anybody reads.
    """
    with a_stack(**TWO_OF_EACH | (moved.environment if moved else {}) | extra) as stack:
        async with a_receiver() as receiver:
            world = World(stack, receiver, moved=moved)
            async with opened(*world.wires):
                try:
                    await world.up()
                    await world.command("begin", "--division", "2015")
                    async with open_desk(stack.settings) as desk:
                        for person in EVERYBODY:
                            if person.name not in world.people:
                                world.people[person.name] = await desk.persons.person_by_phone(person.phone)
                        for member in COMMITTEE:
                            await desk.persons.seat(world.people[member.name], sits=True)
                    await world.calm()
                    yield world
                except Exception:
                    say(world.logs())
                    raise
                finally:
                    wake(world)


def wake(world: World) -> None:
    """Whatever is still frozen goes on, or nothing of it could be ended."""
    for name in ("supervisor", *CHILD):
        with contextlib.suppress(psutil.Error, KeyError, AssertionError):
            for process in world.family(name):
                with contextlib.suppress(psutil.Error):
                    process.resume()
