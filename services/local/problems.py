"""What can go wrong on the way to a running stack, each as the sentence that a person at the keyboard reads.

LocalProblem                 the message is the whole answer; the command line prints it and exits 1, or as it says
├── WrongVersion             a data folder was made by another PostgreSQL or Kafka
├── ChildDied                a server ended by itself; its last log lines are in the message
├── PortTaken                something else listens where a server should
├── FolderUnusable           a folder cannot be written, or its disk is full
├── AlreadyRunning           another supervisor owns this data folder
├── JarsUnavailable          the Kafka jars could not be fetched
├── JarsDiffer               a jar is not the one that the lock names
└── TopicsDiffer             a topic exists with another number of partitions or other settings
"""

from __future__ import annotations

from pathlib import Path

from services.local_problem import LocalProblem


class WrongVersion(LocalProblem):
    """A data folder was made by another version."""


class ChildDied(LocalProblem):
    """A server ended although nobody asked it to."""


class PortTaken(LocalProblem):
    """Something else listens where a server should."""


class FolderUnusable(LocalProblem):
    """A folder cannot be written, or its disk is full."""


class AlreadyRunning(LocalProblem):
    """Another supervisor owns this data folder."""


class JarsUnavailable(LocalProblem):
    """The Kafka jars could not be fetched."""


class JarsDiffer(LocalProblem):
    """A jar is not the one that the lock names."""


class TopicsDiffer(LocalProblem):
    """A topic exists with another number of partitions or other settings."""


def said_since(log: Path, place: int) -> str:
    """What a log says from a place on, at most its last 256 KiB; an earlier run's words explain nothing of this one."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(place, file.tell() - 262_144, 0))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, indented, for the foot of a sentence; says so when there is nothing."""
    lines = said_since(log, 0).splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines) or "    (its log is empty)"
