"""One PostgreSQL server under one folder: made once, started, stopped, killed, and never another version's data."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil

from services.local.account import Account, server_account
from services.local.binaries import Binaries, find_binaries
from services.local.ports import free_port
from services.local.problems import (
    ChildDied,
    FolderUnusable,
    PortTaken,
    WrongVersion,
    last_lines,
    said_since,
)
from services.local.process import Signature, open_log
from services.local_problem import LocalProblem

SOCKET_PATH_BYTES = 107
"""The longest path of a unix socket on Linux, without its closing zero byte."""


class PostgresServer:
    """A server whose data is `folder/data`, its log `folder/postgres.log`, its socket in `folder/s`.

    With a `port` it also listens on 127.0.0.1 (0: a port from the kernel); without one on its unix socket only. With a
    `password` the superuser needs it (scram), otherwise everybody who can reach the socket is trusted: tests only.
    `durable=False` leaves out every fsync: tests only, a power cut then loses the cluster.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        durable: bool = True,
        binaries: Binaries | None = None,
        account: Account | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.wanted_port = port
        self.port = port or 5432
        self.password = password
        self.durable = durable
        self.account = account or server_account()
        self.binaries = binaries or find_binaries(self.account)
        self.options = options or {}
        self._log_began_at = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._socket_folder = folder / "s"
        self._borrowed_socket_folder = False

    name = "postgres"

    @property
    def signature(self) -> Signature:
        """What only a postmaster on this data folder has in its command line."""
        return ("-D", str(self.data))

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it is ours and running."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def dsn(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """Where to connect: over TCP when the server listens there, otherwise over its unix socket."""
        password = password or (self.password if user == "postgres" else None)
        who = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        if self.wanted_port is not None:
            return f"postgresql://{who}@127.0.0.1:{self.port}/{quote(database, safe='')}"
        where = urlencode({"host": str(self._socket_folder), "port": self.port})
        return f"postgresql://{who}@/{quote(database, safe='')}?{where}"

    def make(self) -> None:
        """Make the data folder if it is missing; refuse one that another major version made."""
        self.refuse_other_versions()
        if (self.data / "PG_VERSION").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        # initdb into a scratch name: a folder that a killed initdb left half made must not pass for a cluster
        scratch = self.folder / "data.making"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        self.account.owns(scratch)
        command = [str(self.binaries.initdb), "-D", str(scratch), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        with contextlib.ExitStack() as stack:
            if self.password is None:
                command += ["-A", "trust"]
            else:
                secret = stack.enter_context(tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=".initdb-"))
                secret.write(self.password + "\n")
                secret.flush()
                self.account.owns(Path(secret.name))
                command += ["-A", "scram-sha-256", f"--pwfile={secret.name}"]
            done = subprocess.run(  # noqa: S603 - our own program, no shell
                command, cwd="/", capture_output=True, text=True, errors="replace", check=False, **self.account.run_as()
            )
        if done.returncode != 0:
            shutil.rmtree(scratch, ignore_errors=True)
            if "No space left on device" in done.stderr:
                raise FolderUnusable(f"The disk under {self.folder} is full: free some space, then start again.")
            raise LocalProblem(
                f"PostgreSQL could not make its data folder {self.data}; initdb said:\n"
                + "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-8:])
            )
        scratch.rename(self.data)

    def start(self, deadline_seconds: float = 60.0, waiting: Callable[[float], None] = lambda _: None) -> None:
        """Start and return when connections are accepted; `waiting` is called with the seconds waited so far.

        A port from the kernel can be taken by another process before the server has it: then another one is tried.
        """
        if self.pid is not None:
            return
        self.make()
        self._make_socket_folder()
        for attempt in range(5):
            if self.wanted_port is not None:
                self.port = self.wanted_port or free_port()
            self._launch()
            try:
                self._wait_until_ready(deadline_seconds, waiting)
            except PortTaken:
                if self.wanted_port or attempt == 4:
                    raise
            else:
                return

    def stop(self, deadline_seconds: float = 30.0) -> None:
        """Stop cleanly (SIGINT, "fast": sessions are cut, a checkpoint is written); after the deadline harder."""
        if self.process is None:
            return
        for sign in (signal.SIGINT, signal.SIGQUIT):
            if self.process.poll() is None:
                self.process.send_signal(sign)
            try:
                self.process.wait(deadline_seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            self.kill()
        self.process = None

    def stop_waiting(self) -> None:
        """Cut the sessions of a server that somebody else asked to end.

        After a mere SIGTERM it takes no new session and waits for its last one, which those that pools hold never are:
        neither gone nor of use, until somebody looks.
        """
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(OSError):  # whoever looks at everything goes on looking
                if self._state(self.process.pid) == "stopping":
                    self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL the server and all its sessions at once, as a power cut would; the data stays as it was."""
        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            parent.suspend()  # or it would start new sessions' processes between the list and the kill
            family = [parent, *parent.children(recursive=True)]
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
            psutil.wait_procs(family[1:], timeout=10)
        self.process.wait(10)
        self.process = None

    def restart(self) -> None:
        """Stop cleanly and start again on the same port."""
        self.stop()
        if self.wanted_port == 0:
            self.wanted_port = self.port
        self.start()

    def remove(self) -> None:
        """Stop and delete everything this server ever wrote."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._borrowed_socket_folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    def refuse_other_versions(self) -> None:
        """Raise WrongVersion when the data folder was made by another major version."""
        version_file = self.data / "PG_VERSION"
        if not version_file.exists():
            return
        made_by = version_file.read_text().strip()
        said = subprocess.run([str(self.binaries.postgres), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        ours = said.stdout.split()[-1].split(".")[0]
        if made_by != ours:
            raise WrongVersion(
                f"{self.data} was made by PostgreSQL {made_by} and this is PostgreSQL {ours}: name the older programs "
                "in INTABAZA_POSTGRES_BINARIES, or carry the data over with pg_upgrade, or choose another data folder."
            )

    def _make_socket_folder(self) -> None:
        longest = len(os.fsencode(self._socket_folder / f".s.PGSQL.{self.port:05d}.lock"))
        if longest > SOCKET_PATH_BYTES and not self._borrowed_socket_folder:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="intabaza-"))
            self._borrowed_socket_folder = True
        self._socket_folder.mkdir(mode=0o700, exist_ok=True)
        self.account.owns(self._socket_folder)

    def _launch(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1" if self.wanted_port is not None else "",
            "port": str(self.port),
            "unix_socket_directories": str(self._socket_folder),
            "logging_collector": "off",
            "log_min_messages": "warning",
            # a statement in the log could carry a sealed value's neighbour or a person's number
            "log_min_error_statement": "panic",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= self.options
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self.log) as log:
            self._log_began_at = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [str(self.binaries.postgres), "-D", str(self.data), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for the supervisor; it ends us in order
                **self.account.run_as(),
            )

    def _wait_until_ready(self, deadline_seconds: float, waiting: Callable[[float], None]) -> None:
        assert self.process is not None
        began = time.monotonic()
        while self._state(self.process.pid) != "ready":
            waited = time.monotonic() - began
            if self.process.poll() is not None:
                self.process = None
                raise self.why_it_died()
            if waited > deadline_seconds:
                self.stop()
                raise ChildDied(
                    f"PostgreSQL did not accept connections within {deadline_seconds:.0f} s; "
                    f"its log {self.log} ends with:\n{last_lines(self.log)}"
                )
            waiting(waited)
            time.sleep(0.02)

    def _state(self, pid: int) -> str:
        """What the eighth line of postmaster.pid says (`ready`, `stopping`), if the first says that it is about this
        process."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[7].strip() if len(lines) >= 8 and lines[0] == str(pid) else ""

    def why_it_died(self) -> LocalProblem:
        """The sentence for a server that ended by itself, from the end of its log."""
        said = said_since(self.log, self._log_began_at)
        if "Address already in use" in said:
            return PortTaken(
                f"Port {self.port} on 127.0.0.1, where PostgreSQL should listen, is taken: end what listens there, "
                "or set INTABAZA_POSTGRES_PORT to another number (0 takes any free one)."
            )
        if "No space left on device" in said:
            return FolderUnusable(f"The disk under {self.folder} is full: free some space, then start again.")
        return ChildDied(f"PostgreSQL ended by itself; its log {self.log} ends with:\n{last_lines(self.log)}")
