"""The servers of a demonstration: the local stack as everybody starts it, in a folder that holds nothing else."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from services.local.folder import DataFolder, write_synced
from services.local.ports import answers, free_port
from services.local.problems import last_lines
from services.local.process import Identity, open_log
from services.local_problem import LocalProblem
from services.settings import PREFIX, Settings, child_environment

PROGRAM = Path(sys.executable).with_name("intabaza")
"""Whoever typed `make demo` has no `intabaza` on their PATH."""
MARK = "demonstration.toml"
"""Says that a folder was made for demonstrations and may be begun anew."""
PARTITIONS = 4
"""Fewer than usual: each tick goes to every partition, and a year and a half of ticks are played in a minute."""
QUICK_JAVA = "-XX:TieredStopAtLevel=1"
"""A broker that lives for two minutes never earns back what compiling for speed costs: half of all its work."""
UP_SECONDS = 180.0
DOWN_SECONDS = 90.0
LOOK_SECONDS = 0.05


@dataclass
class DemoStack:
    """The stack in one folder; `settings` are those of its processes."""

    settings: Settings

    @classmethod
    def in_folder(cls, folder: Path, zone: str) -> DemoStack:
        """A stack that nobody else uses, with settings for one machine's invented people."""
        asked = Settings()
        if asked.postgres_dsn is not None or asked.kafka_bootstrap is not None:
            raise LocalProblem(
                f"A demonstration runs servers of its own and fills them with invented people: unset "
                f"{PREFIX}POSTGRES_DSN and {PREFIX}KAFKA_BOOTSTRAP."
            )
        # The play's people are one machine: no limit for each of them is wanted here.
        settings = asked.model_copy(
            update={
                "data_folder": folder,
                "zone": zone,
                "api_requests_per_second": 0.0,
                "partitions": PARTITIONS,
            }
        )
        return cls(settings)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.api_port}"

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.settings.folder)

    async def begin_anew(self) -> None:
        """Empty the folder of an earlier demonstration, and find a port: the usual one where nobody answers there.

        Raises LocalProblem for a folder that holds anything else.
        """
        path = self.settings.folder
        if path.exists() and any(path.iterdir()):
            if not (path / MARK).exists():
                raise LocalProblem(
                    f"{path} is no folder of a demonstration and is not empty: choose another one with --folder."
                )
            await self.down()
            made = self.folder.made() or {}
            for each in (Path(made["postgres"]) if "postgres" in made else path, path):
                shutil.rmtree(each, ignore_errors=True)
        usual = self.settings.api_port
        port = usual if usual and not answers(usual) else free_port()
        self.settings = self.settings.model_copy(update={"api_port": port})
        self.folder.prepare()
        write_synced(path / MARK, "# A folder for demonstrations: the next one begins anew here.\n")

    async def up(self, waiting: Callable[[str], None] = lambda _: None) -> None:
        """Start everything, detached from this process; `waiting` is told what the supervisor says meanwhile."""
        log = self.folder.logs / "supervisor.log"
        process = self._start(log)
        deadline, told = time.monotonic() + UP_SECONDS, 0
        while not self._is_up(process.pid):
            lines = log.read_text(errors="replace").splitlines()
            for line in lines[told:]:
                waiting(line)
            told = len(lines)
            if process.poll() is not None or time.monotonic() > deadline:
                process.terminate()
                raise LocalProblem(f"The stack did not come up; {log} ends with:\n{last_lines(log)}")
            await asyncio.sleep(LOOK_SECONDS)

    def _start(self, log: Path) -> subprocess.Popen[bytes]:
        with open_log(log) as file:
            return subprocess.Popen(
                [sys.executable, "-m", "services.cli", "up"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    async def down(self) -> None:
        """End the stack, if one runs in the folder."""
        if not self.folder.is_owned():
            return
        state = self.folder.state()
        if state is not None and (supervisor := Identity.read(state["supervisor"])).runs():
            psutil.Process(supervisor.pid).terminate()
        deadline = time.monotonic() + DOWN_SECONDS
        while self.folder.is_owned():
            if time.monotonic() > deadline:
                raise LocalProblem(f"The stack in {self.settings.folder} has not ended: see its logs.")
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def command_to_end(self) -> str:
        """What ends it from the keyboard."""
        return f"{PREFIX}DATA_FOLDER={self.settings.folder} {PROGRAM} down"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are started with."""
        settings = self.settings
        ours: dict[str, Any] = {
            "API_PORT": settings.api_port,
            "API_REQUESTS_PER_SECOND": settings.api_requests_per_second,
            "APIS": 1,
            "PARTITIONS": settings.partitions,
            "ZONE": settings.zone,
        }
        own = {f"{PREFIX}{name}": str(value) for name, value in ours.items()}
        return {"JDK_JAVA_OPTIONS": QUICK_JAVA} | child_environment(settings) | own

    def _is_up(self, supervisor: int) -> bool:
        state = self.folder.state()
        return state is not None and bool(state["ready"]) and state["supervisor"]["pid"] == supervisor
