"""The Java program: its jars, compiling it, its command line, and how far its group has come."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient

from services.local.jars import COORDINATES as KAFKA
from services.local.jars import KAFKA_VERSION, kafka_jars
from services.settings import Settings

LOCK = Path(__file__).with_name("streams.lock.toml")
COORDINATES = f"{KAFKA}+org.apache.kafka:kafka-streams:{KAFKA_VERSION}"
SOURCE = Path(__file__).with_name("Peer.java")


class NoJdk(RuntimeError):
    """There is no Java compiler here; the message says so."""


@dataclass(frozen=True)
class Program:
    """Compiled, with everything on its class path."""

    java: str
    class_path: str

    def command(self, bootstrap: str, group: str, state: Path, threads: int) -> Sequence[str]:
        heap = ("-Xms256m", "-Xmx1g")
        return [self.java, *heap, "-cp", self.class_path, "Peer", bootstrap, group, str(state), str(threads)]


def compiled(folder: Path) -> Program:
    """Compile the program into a folder. Raises NoJdk, and JarsUnavailable where its jars cannot be fetched."""
    javac = shutil.which("javac")
    java = shutil.which("java")
    if javac is None or java is None:
        raise NoJdk("Kafka Streams was left out: there is no JDK (javac) on PATH to compile its program with.")
    jars = ":".join(map(str, kafka_jars(Settings().cache_folder, lock=LOCK)))
    subprocess.run([javac, "-cp", jars, "-d", str(folder), str(SOURCE)], check=True)
    return Program(java, f"{folder}:{jars}")


def committed(admin: KafkaAdminClient, group: str) -> int:
    """How many records the group has committed, over all partitions."""
    offsets = admin.list_group_offsets([group])[group]
    return sum(max(one.offset, 0) for one in offsets.values())


def forget(admin: KafkaAdminClient, group: str) -> None:
    """Remove the changelogs of a group that has ended."""
    if mine := [topic for topic in admin.list_topics() if topic.startswith(f"{group}-")]:
        admin.delete_topics(mine)
