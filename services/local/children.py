"""The processes of ours that run beside the servers; adding one is one line of `children_of`."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.local.problems import ChildDied, LocalProblem, last_lines
from services.local.process import Signature, open_log
from services.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Child:
    """A module that is run as `python -m module`, with the settings in its environment; SIGTERM must end it."""

    name: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)


def children_of(settings: Settings) -> tuple[Child, ...]:
    """Started in this order after the servers, ended in the opposite one."""
    processors = ["processors", *(f"processors-{number}" for number in range(2, settings.processors + 1))]
    return (
        Child("relay", "services.relay"),
        *(Child(name, "services.processors", {f"{PREFIX}PROCESSOR_MEMBER": name}) for name in processors),
    )


class ChildProcess:
    """One child of one stack, with its log in `folder/logs`."""

    def __init__(self, child: Child, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = child.name
        self.log = folder / "logs" / f"{child.name}.log"
        # the folder stands in the command line, so that `ps` and the next start can tell whose child it is
        self.signature: Signature = (f"--stack={folder}", child.module)
        self._environment = {**environment, **child.environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, waiting: Callable[[float], None] = lambda _: None) -> None:
        """Start it; it is on its own from then on."""
        with open_log(self.log) as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-m", "services.local.children", *self.signature],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,
            )

    def stop(self, deadline_seconds: float = 15.0) -> None:
        """SIGTERM, and SIGKILL after the deadline."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def why_it_died(self) -> LocalProblem:
        """The sentence for a child that ended by itself."""
        return ChildDied(
            f"The {self.name} process ended by itself{self._how()}; "
            f"its log {self.log} ends with:\n{last_lines(self.log)}"
        )

    def _how(self) -> str:
        """Whoever was killed has said nothing in its log."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return ""
        return f" with status {code}" if code >= 0 else f" by signal {-code}"


if __name__ == "__main__":
    runpy.run_module(sys.argv[2], run_name="__main__", alter_sys=True)
