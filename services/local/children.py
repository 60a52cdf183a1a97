"""The processes of ours that run beside the servers; adding one is one line of `children_of`."""

from __future__ import annotations

import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.local.ports import answers, free_port
from services.local.problems import ChildDied, last_lines
from services.local.process import Signature, open_log
from services.local_problem import LocalProblem
from services.settings import PREFIX, Settings

ANSWERS_WITHIN_SECONDS = 30.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Child:
    """A module that is run as `python -m module`, with the settings in its environment; SIGTERM must end it.

    One with a port has begun when it answers there.
    """

    name: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None


def children_of(settings: Settings) -> tuple[Child, ...]:
    """Started in this order after the servers, ended in the opposite one."""
    apis = _names("api", settings.apis)
    ports = [settings.api_port or free_port(), *(free_port() for _ in apis[1:])]
    return (
        *(
            # a port that was asked for is the first one's: two cannot have it
            Child(name, "services.relay", {} if name == "relay" else {f"{PREFIX}RELAY_METRICS_PORT": "0"})
            for name in _names("relay", settings.relays)
        ),
        *(
            Child(name, "services.processors", {f"{PREFIX}PROCESSOR_MEMBER": name})
            for name in _names("processors", settings.processors)
        ),
        *(
            Child(name, "services.api", {f"{PREFIX}API_PORT": str(port)}, port)
            for name, port in zip(apis, ports, strict=False)
        ),
        *(
            Child(name, "services.notifier", {} if name == "notifier" else {f"{PREFIX}NOTIFIER_METRICS_PORT": "0"})
            for name in _names("notifier", settings.notifiers)
        ),
        *(
            Child(name, "services.notary", {} if name == "notary" else {f"{PREFIX}NOTARY_METRICS_PORT": "0"})
            for name in _names("notary", settings.notaries)
        ),
    )


def _names(kind: str, count: int) -> list[str]:
    """What so many of a kind are called: the first one bears the name alone."""
    return [kind if number == 1 else f"{kind}-{number}" for number in range(1, count + 1)]


class ChildProcess:
    """One child of one stack, with its log in `folder/logs`."""

    def __init__(self, child: Child, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = child.name
        self.port = child.port
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
        """Start it, and wait until it answers where it has a port; it is on its own from then on."""
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
        began = time.monotonic()
        while self.port is not None and self.pid is not None and not answers(self.port):
            seconds = time.monotonic() - began
            if seconds > ANSWERS_WITHIN_SECONDS:
                break  # it may still come; whoever asks it sees that it has not
            waiting(seconds)
            time.sleep(LOOK_SECONDS)

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
