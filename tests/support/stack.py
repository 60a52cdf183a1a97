"""A real local stack in a folder of its own, driven through the command line as a person would."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from services.local.addresses import Addresses, find_addresses
from services.local.folder import DataFolder
from services.local.process import processes_with
from services.settings import Settings, child_environment
from tests.conftest import server_folder

PATIENCE_SECONDS = 300
"""Nothing is decided by how long something takes on a machine that others use: this ends what would hang."""


@dataclass
class Stack:
    """One data folder and, between `up` and the end, the supervisor's process."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    supervisor: subprocess.Popen[str] | None = None

    @property
    def settings(self) -> Settings:
        """The settings that its commands run with."""
        return Settings(data_folder=self.folder)

    @property
    def addresses(self) -> Addresses:
        """Where its servers listen now."""
        return find_addresses(self.settings)

    @property
    def state(self) -> dict[str, Any]:
        """What its supervisor last wrote."""
        return DataFolder(self.folder).state() or {}

    def pid(self, name: str) -> int:
        """The process id of one of its servers."""
        return int(self.state["servers"][name]["pid"])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of `intabaza` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            env=child_environment(self.settings) | dict(self.extra),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def up(self, *how: str) -> None:
        """Start it in the foreground of a process group of its own, as a terminal does, and wait until it is up."""
        self.supervisor = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "up", *how],
            env=child_environment(self.settings) | dict(self.extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        supervisor = self.supervisor

        def is_up() -> bool:
            assert supervisor.poll() is None, f"the supervisor ended: {supervisor.communicate()[0]}"
            state = self.state
            return bool(state) and state["ready"] and state["supervisor"]["pid"] == supervisor.pid

        wait_for(is_up, PATIENCE_SECONDS)

    def wait_for_the_end(self) -> tuple[int, str]:
        """The supervisor's exit status and everything it said."""
        assert self.supervisor is not None
        said, _ = self.supervisor.communicate(timeout=PATIENCE_SECONDS)
        return self.supervisor.returncode, said

    def processes(self) -> list[psutil.Process]:
        """Every server process of this folder, whoever started it."""
        postgres, kafka = self.folder / "postgres" / "data", self.folder / "kafka" / "server.properties"
        return [*processes_with(("-D", str(postgres))), *processes_with(("kafka.Kafka", str(kafka)))]

    def remove(self) -> None:
        """End what runs and delete the folder."""
        supervisor = self.supervisor
        try:
            if supervisor is not None and supervisor.poll() is None:
                supervisor.terminate()
                supervisor.communicate(timeout=PATIENCE_SECONDS)
        finally:  # what goes on running would be in the way of every later test
            if supervisor is not None and supervisor.poll() is None:
                supervisor.kill()
                supervisor.communicate()
            left = [*processes_with((f"--stack={self.folder}",)), *self.processes()]
            left += [child for process in left for child in process.children(recursive=True)]
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=30)
            shutil.rmtree(self.folder)


@contextmanager
def a_stack(**extra: str) -> Iterator[Stack]:
    """A stack in a new folder, not yet started, without API, notifier and notary; `extra` goes into its environment."""
    without = {f"INTABAZA_{kind}": "0" for kind in ("APIS", "API_PORT", "NOTIFIERS", "NOTARIES")}
    stack = Stack(server_folder(), without | extra)
    try:
        yield stack
    finally:
        stack.remove()


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    """Return as soon as the condition holds; fail after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.05)
