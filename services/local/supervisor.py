"""One process that owns one data folder: starts what the stack needs, watches it, and ends what it started, in order.

What died is started again, on the same port, after 0.5, 1, 2, 4 and 8 seconds; what the sixth death within ten minutes
means is said in `deaths`. After a kill of the supervisor the next start ends what it left running and starts clean.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol, assert_never

import psutil

from services import clock
from services.local.children import Child, ChildProcess, children_of
from services.local.database import DATABASE, prepare_external_database, prepare_local_database
from services.local.deaths import RESTART_DELAYS_SECONDS, Deaths, EndTheStack, GiveUp, StartAgain
from services.local.folder import DataFolder, unusable
from services.local.postgres import PostgresServer
from services.local.process import Identity, Signature, end_orphans
from services.local.progress import Progress
from services.local.servers import kafka_of, postgres_of
from services.local.stopping import Stopping
from services.local.topics import make_topics
from services.local_problem import LocalProblem
from services.settings import Settings, child_environment

WATCH_SECONDS = 0.2


class Watched(Protocol):
    """What the supervisor needs to know of a process."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def signature(self) -> Signature: ...
    @property
    def pid(self) -> int | None: ...
    def start(self, *, waiting: Callable[[float], None] = ...) -> None: ...
    def stop(self) -> None: ...
    def why_it_died(self) -> LocalProblem: ...


class Stopped(Exception):
    """Somebody asked the supervisor to end while it was starting."""


class Interruptible:
    """Passes progress on, unless somebody asked to end: then the long step that reports it ends with Stopped."""

    def __init__(self, progress: Progress, stopping: Stopping) -> None:
        self._progress = progress
        self._stopping = stopping

    def say(self, text: str) -> None:
        """One sentence about what happens now."""
        self._progress.say(text)

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        """How far one long step is."""
        if self._stopping.is_asked():
            raise Stopped
        self._progress.advance(what, done, total)


class Supervisor:
    """Runs one stack until `stopping` is asked for or a server dies for good; `run` returns when all of it has ended.

    `before_appends` is asked when the servers are up and nothing of ours runs yet, with the owner's DSN, Kafka's
    bootstrap and the number of partitions: why it shut the door to appends, if it did.
    """

    def __init__(
        self,
        settings: Settings,
        progress: Progress,
        stopping: Stopping,
        before_appends: Callable[[str, str, int], str | None],
        children: Sequence[Child] | None = None,
        restart_delays_seconds: Sequence[float] = RESTART_DELAYS_SECONDS,
        anew: Collection[str] = (),
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.starting = Interruptible(progress, stopping)
        self.stopping = stopping
        self.children = children_of(settings) if children is None else children
        self.folder = DataFolder(settings.folder)
        self.anew = anew
        self.before_appends = before_appends
        self.running: list[Watched] = []
        self.bootstrap = settings.kafka_bootstrap
        self._deaths = Deaths(restart_delays_seconds)
        self._ports: dict[str, int] = {}
        self._began: dict[str, Identity] = {}
        self._restart_at: dict[str, float] = {}
        self._given_up: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """Start, watch, end; raises LocalProblem with the sentence for whoever started it."""
        self.folder.prepare()
        with self.folder.owned():
            try:
                self.folder.forget_what_was_asked()
                self._start()
                self._watch()
            except Stopped:
                pass
            except OSError as error:
                raise unusable(self.folder.path, error) from error
            finally:
                self._end()

    def _start(self) -> None:
        settings, folder = self.settings, self.folder
        made = self._what_was_made()
        postgres = None if settings.postgres_dsn else postgres_of(folder, settings, made, self.progress)
        kafka = None if settings.kafka_bootstrap else kafka_of(folder, settings, made, self.starting)
        processes = [ChildProcess(child, folder.path, child_environment(settings)) for child in self.children]
        self._ports |= {process.name: process.port for process in processes if process.port is not None}
        self._end_orphans([server for server in (postgres, kafka, *processes) if server is not None])
        self._write_state(ready=False)
        if settings.vault_master_key is None:
            folder.find_master_key(settings.vault_master_key_file)
        if postgres is not None:
            self._bring_up(postgres)
            postgres.wanted_port = self._ports["postgres"] = postgres.port
            self.progress.say("Applying the database's migrations.")
            prepare_local_database(postgres.dsn(), postgres.dsn(DATABASE), folder.passwords())
        elif settings.postgres_dsn is not None:
            self.progress.say("Applying the migrations to the PostgreSQL of INTABAZA_POSTGRES_DSN.")
            prepare_external_database(settings.postgres_dsn.get_secret_value())
        if kafka is not None:
            self._bring_up(kafka)
            kafka.wanted_port = self._ports["kafka"] = kafka.port
            self.bootstrap = kafka.bootstrap
        assert self.bootstrap is not None
        make_topics(self.bootstrap, settings.partitions, settings.kafka_replication)
        self._look_before_anybody_appends(postgres)
        folder.write_made(
            (made or {"at": clock.now().isoformat()})
            | ({"postgres": str(postgres.folder)} if postgres else {})
            | ({"kafka": str(kafka.folder)} if kafka else {})
        )
        self._write_state(ready=False)  # children find the servers in it
        for process in processes:
            self._bring_up(process)
        self._write_state(ready=True)
        self.progress.say(f"The stack in {folder.path} is up.")
        for process in processes:
            if process.port is not None:
                self.progress.say(f"The {process.name} answers at http://127.0.0.1:{process.port}.")

    def _what_was_made(self) -> dict[str, Any] | None:
        """What was made here, without what a person says is gone for good and wants made anew."""
        made = self.folder.made()
        if made is None or not self.anew:
            return made
        for name in self.anew:
            if name in made and (Path(made[name]) / "data").exists():
                raise LocalProblem(
                    f"The data of {name} is there, in {made[name]}: it is not made anew. Leave `--anew {name}` out, or "
                    "move that folder away first."
                )
        return {name: where for name, where in made.items() if name not in self.anew}

    def _look_before_anybody_appends(self, postgres: PostgresServer | None) -> None:
        """What a ledger that was put back lacks, nobody must write over."""
        assert self.bootstrap is not None
        external = self.settings.postgres_dsn
        dsn = postgres.dsn(DATABASE) if postgres is not None else external.get_secret_value() if external else ""
        because = self.before_appends(dsn, self.bootstrap, self.settings.partitions)
        if because is not None:
            self.progress.say(f"The door to appends is shut: {because}.")

    def _end_orphans(self, servers: Sequence[Watched]) -> None:
        """What an earlier supervisor of this folder left running; the lock on the folder says that it is gone."""
        for server in reversed(servers):
            gently = signal.SIGINT if isinstance(server, PostgresServer) else signal.SIGTERM
            if end_orphans(server.signature, gently):
                self.progress.say(f"Ended the {server.name} process that an earlier supervisor had left running.")

    def _bring_up(self, server: Watched) -> None:
        what = f"starting {server.name}"
        self.starting.advance(what, 0)
        self.running.append(server)
        server.start(waiting=lambda seconds: self.starting.advance(what, seconds))
        self.progress.advance(what, 1, 1)
        if server.pid is None and _everybody_needs(server):
            raise server.why_it_died()
        self._remember(server)
        self._write_state(ready=False)

    # --- while it runs --------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self.stopping.wait(WATCH_SECONDS):
            for server in self.running:
                if self.folder.is_asked_to_restart(server.name):
                    self._restart(server)
                if isinstance(server, PostgresServer):
                    server.stop_waiting()
                if server.pid is not None or server.name in self._given_up:
                    continue
                if server.name not in self._restart_at:
                    self._after_a_death(server)
                elif time.monotonic() >= self._restart_at[server.name]:
                    self._start_again(server)

    def _after_a_death(self, server: Watched) -> None:
        """Note when it is started again, or that it is not; raises the sentence where nothing goes on without it."""
        now = time.monotonic()
        match self._deaths.died(server.name, now, everybody_needs_it=_everybody_needs(server)):
            case StartAgain(delay):
                self._restart_at[server.name] = now + delay
                self._tell(f"{server.name} ended by itself; starting it again in {delay:g} s (its log: {server.log}).")
            case GiveUp(deaths):
                why = str(server.why_it_died())
                self._given_up[server.name] = {"at": clock.now().isoformat(), "deaths": deaths, "because": why}
                self._write_state(ready=True)
                self._tell(
                    f"{server.name} is given up after {deaths} deaths, and everything else goes on. Mend what it died "
                    f"of, then `intabaza restart {server.name}`. {why}"
                )
            case EndTheStack():
                raise server.why_it_died()
            case never:
                assert_never(never)

    def _start_again(self, server: Watched) -> None:
        self._restart_at.pop(server.name, None)
        try:
            server.start(waiting=lambda seconds: self.starting.advance(f"starting {server.name} again", seconds))
        except LocalProblem:
            return  # seen as dead again at the next look
        self.progress.advance(f"starting {server.name} again", 1, 1)
        self._remember(server)
        self._write_state(ready=True)

    def _restart(self, server: Watched) -> None:
        """A person asked for it, and waits for the answer."""
        self._tell(f"Starting {server.name} again, as was asked.")
        server.stop()
        self._deaths.forgive(server.name)
        self._given_up.pop(server.name, None)
        self._start_again(server)
        self.folder.has_restarted(server.name)

    def _end(self) -> None:
        for server in reversed(self.running):
            if server.pid is not None:
                self.progress.say(f"Ending {server.name}.")
            server.stop()
        self.folder.state_file.unlink(missing_ok=True)

    def _tell(self, text: str) -> None:
        """What happens long after the start is said with its time."""
        self.progress.say(f"{clock.now():%Y-%m-%d %H:%M:%S} UTC: {text}")

    def _remember(self, server: Watched) -> None:
        pid = server.pid
        with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended already, which the next look sees
            if pid is not None:
                self._began[server.name] = Identity.of(pid)

    def _write_state(self, *, ready: bool) -> None:
        self.folder.write_state(
            {
                "ready": ready,
                "at": clock.now().isoformat(),
                "supervisor": Identity.of(os.getpid()).saved(),
                "bootstrap": self.bootstrap,
                "ports": self._ports,
                "servers": {
                    server.name: self._began[server.name].saved() | {"log": str(server.log)}
                    for server in self.running
                    if server.name in self._began
                },
                "children": [server.name for server in self.running if not _everybody_needs(server)],
                "given_up": self._given_up,
            }
        )


def _everybody_needs(server: Watched) -> bool:
    return not isinstance(server, ChildProcess)
