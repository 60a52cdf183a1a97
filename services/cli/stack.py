"""`intabaza up | status | restart | logs | down | settings`: the local stack from the keyboard."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.drawing import Drawn
from services.local.folder import DataFolder
from services.local.problems import ChildDied, last_lines
from services.local.process import Identity, open_log
from services.local_problem import LocalProblem
from services.settings import Settings, child_environment, read_settings, shown

LOOK_SECONDS = 0.1
RESTART_SECONDS = 60.0


class Server(StrEnum):
    POSTGRES = "postgres"
    KAFKA = "kafka"


def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when the stack is up and leave it running.")] = False,
    anew: Annotated[
        list[Server] | None, typer.Option("--anew", help="Its data is gone for good: make it empty, to be restored.")
    ] = None,
) -> None:
    """Start PostgreSQL, Kafka and all processes of ours in the data folder and watch them until Ctrl-C."""
    settings = read_settings()
    servers = [server.value for server in anew or []]
    if detach:
        _detached(settings, servers)
        return
    from services.local.stopping import Stopping
    from services.local.supervisor import Supervisor  # they bring kafka-python and asyncpg, which the others need not
    from services.restoring.ahead import shut_where_kafka_is_ahead

    stopping = Stopping()
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, lambda *_: stopping.ask())
    folder = DataFolder(settings.folder)
    folder.prepare()
    with Drawn(log=folder.logs / "supervisor.log") as drawn:
        try:
            Supervisor(settings, drawn, stopping, shut_where_kafka_is_ahead, anew=servers).run()
        except LocalProblem as problem:
            drawn.note(str(problem))
            raise


def status() -> None:
    """Show what runs in the data folder and where it listens; the exit status is 1 when not all of it does."""
    settings = read_settings()
    folder = DataFolder(settings.folder)
    state = _state_of(folder)
    table = Table("process", "pid", "address", "state", box=None)
    dead = False
    for name, server in state["servers"].items():
        if name in state["given_up"]:
            table.add_row(name, "", "", "given up")
            continue
        runs = Identity.read(server).runs()
        dead = dead or not runs
        port = state["ports"].get(name)
        table.add_row(name, str(server["pid"]), f"127.0.0.1:{port}" if port else "", "running" if runs else "died")
    Console().print(table)
    if given_up := state["given_up"]:
        raise LocalProblem("\n".join(_of_one_given_up(name, one) for name, one in given_up.items()))
    if dead or not state["ready"]:
        raise LocalProblem(f"The stack in {settings.folder} is not fully up: see `intabaza logs`.")
    typer.echo(f"The stack in {settings.folder} is up.")


def address(name: Annotated[str, typer.Argument(help="kafka, api, …, as `intabaza status` names it.")]) -> None:
    """Print where one process of the stack listens, as host:port, for scripts."""
    settings = read_settings()
    state = _state_of(DataFolder(settings.folder))
    listening = {each: f"127.0.0.1:{port}" for each, port in state["ports"].items()} | {"kafka": state["bootstrap"]}
    if name not in listening:
        raise LocalProblem(f"{name} is none of {', '.join(sorted(listening))}, which have an address here.")
    typer.echo(listening[name])


def restart(
    names: Annotated[list[str] | None, typer.Argument(help="relay, processors, …; all given up where none.")] = None,
) -> None:
    """Start the relay or processors again, also one that was given up; everything else goes on meanwhile."""
    folder = DataFolder(read_settings().folder)
    state = _state_of(folder)
    for name in names or []:
        if name not in state["children"]:
            raise LocalProblem(
                f"{name} is none of {', '.join(state['children'])}, which can be started again alone. "
                "PostgreSQL and Kafka begin anew with the whole stack: `intabaza down`, then `intabaza up`."
            )
    wanted = names or list(state["given_up"])
    if not wanted:
        raise LocalProblem("Nothing was given up: name what is to be started again.")
    for name in wanted:
        folder.ask_to_restart(name)
    deadline = time.monotonic() + RESTART_SECONDS
    while waiting := [name for name in wanted if folder.is_asked_to_restart(name)]:
        if not folder.is_owned():
            raise LocalProblem("The supervisor has ended meanwhile: see `intabaza logs supervisor`.")
        if time.monotonic() > deadline:
            raise LocalProblem(f"{' and '.join(waiting)} not started yet; the supervisor will: see `intabaza status`.")
        time.sleep(LOOK_SECONDS)
    typer.echo(f"Started again: {', '.join(wanted)}. `intabaza status` shows whether it stays.")


def logs(
    name: Annotated[str | None, typer.Argument(help="postgres, kafka, supervisor or another process.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines of each log.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written, until Ctrl-C.")] = False,
) -> None:
    """Show the end of the processes' logs."""
    found = _logs_of(DataFolder(read_settings().folder))
    if name is not None and name not in found:
        raise LocalProblem(f"There is no log of {name}; there are: {', '.join(sorted(found)) or 'none yet'}.")
    chosen = {name: found[name]} if name is not None else found
    for each, log in sorted(chosen.items()):
        typer.echo(f"{each}: {log}")
        with log.open(errors="replace") as file:
            for line in deque(file, maxlen=lines):
                typer.echo(f"  {line.rstrip()}")
    if follow:
        _follow(chosen)


def down() -> None:
    """End the stack of the data folder; what it stored stays."""
    settings = read_settings()
    folder = DataFolder(settings.folder)
    if not folder.is_owned():
        raise LocalProblem(f"No supervisor runs in {settings.folder}: there is nothing to end.")
    state = folder.state()
    supervisor = Identity.read(state["supervisor"]) if state else None
    if supervisor is None or not supervisor.runs():
        raise LocalProblem(f"A supervisor is just starting in {settings.folder}: try again in a moment.")
    import psutil

    psutil.Process(supervisor.pid).terminate()
    deadline = time.monotonic() + 90
    while folder.is_owned():
        if time.monotonic() > deadline:
            raise LocalProblem(
                f"The supervisor (process {supervisor.pid}) has not ended within 90 s: see `intabaza logs`."
            )
        time.sleep(LOOK_SECONDS)
    typer.echo(f"The stack in {settings.folder} is down.")


def show_settings() -> None:
    """Show every setting with its value (secrets hidden) and what it is for."""
    table = Table("setting", "value", "what it is for", box=None, pad_edge=False)
    for name, value, description in shown(read_settings()):
        table.add_row(name, value, description)
    Console().print(table)


def _detached(settings: Settings, anew: Sequence[str]) -> None:
    folder = DataFolder(settings.folder)
    folder.prepare()
    log = folder.logs / "supervisor.log"
    began_at = log.stat().st_size if log.exists() else 0
    with open_log(log) as file:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "services.cli", "up", *(part for name in anew for part in ("--anew", name))],
            env=child_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    while not _is_up(folder.state(), process.pid):
        if process.poll() is not None:
            with log.open("rb") as file:
                file.seek(began_at)
                said = file.read().decode(errors="replace").strip()
            raise ChildDied(said or f"The supervisor ended without a word; its log {log} ends with:\n{last_lines(log)}")
        time.sleep(LOOK_SECONDS)
    typer.echo(f"The stack in {settings.folder} is up; `intabaza down` ends it.")


def _state_of(folder: DataFolder) -> dict[str, Any]:
    state = folder.state()
    if state is None or not folder.is_owned():
        raise LocalProblem(f"No stack runs in {folder.path}: start it with `intabaza up`.")
    return state


def _of_one_given_up(name: str, given_up: dict[str, Any]) -> str:
    at = datetime.fromisoformat(given_up["at"])
    return (
        f"{name} was given up at {at:%Y-%m-%d %H:%M} UTC after {given_up['deaths']} deaths; everything else goes on. "
        f"{given_up['because']}\n"
        f"Mend what it says (deploy/README.md lists it by what you see), then `intabaza restart {name}`."
    )


def _is_up(state: dict[str, Any] | None, supervisor: int) -> bool:
    return state is not None and bool(state["ready"]) and state["supervisor"]["pid"] == supervisor


def _logs_of(folder: DataFolder) -> dict[str, Path]:
    where = {log.stem: log for log in folder.logs.glob("*.log")}
    postgres = Path((folder.made() or {}).get("postgres", folder.path / "postgres")) / "postgres.log"
    where |= {"postgres": postgres, "kafka": folder.path / "kafka" / "kafka.log"}
    return {name: log for name, log in where.items() if log.exists()}


def _follow(chosen: dict[str, Path]) -> None:
    places = {name: log.stat().st_size for name, log in chosen.items()}
    while True:
        for name, log in chosen.items():
            if log.stat().st_size < places[name]:  # put aside and begun anew
                places[name] = 0
            with log.open("rb") as file:
                file.seek(places[name])
                for line in file.read().decode(errors="replace").splitlines():
                    typer.echo(f"{name}: {line}")
                places[name] = file.tell()
        time.sleep(LOOK_SECONDS)
