"""The Kafka jars: fetched by Maven coordinates, kept in a cache, and each one the very file that the lock names.

`python -m services.local.jars` resolves the coordinates anew and writes the lock. A start never resolves: it takes what
the lock names, so that no new release of a dependency can slip in. The trap behind the check of versions: an added
logging bridge once let its BOM downgrade kafka-clients to 3.9.1 without a word.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.local.problems import FolderUnusable, JarsDiffer, JarsUnavailable
from services.local.progress import Progress, Quiet

KAFKA_VERSION = "4.3.1"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-jdk14:1.7.36"
LOCK = Path(__file__).with_name("kafka.lock.toml")


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked file: its Maven coordinates and the SHA-256 of its bytes."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def within_repository(self) -> Path:
        """Where a Maven repository keeps it."""
        return Path(*self.group.split("."), self.artifact, self.version, self.name)


def read_lock(lock: Path = LOCK) -> tuple[Jar, ...]:
    """What the lock names; refuses a lock whose Kafka jars are not all of the version that this program runs."""
    with lock.open("rb") as file:
        entries = tomllib.load(file)["dependencies"]
    jars = tuple(Jar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries)
    wrong = [jar.name for jar in jars if jar.group == "org.apache.kafka" and jar.version != KAFKA_VERSION]
    if wrong or not any(jar.artifact == "kafka_2.13" for jar in jars):
        raise JarsDiffer(
            f"{lock.name} does not name Kafka {KAFKA_VERSION} throughout "
            f"({', '.join(wrong) or 'kafka_2.13 is missing'}): "
            "resolve it anew with `make jars`."
        )
    return jars


def kafka_jars(
    cache: Path, *, repository: str | None = None, progress: Progress | None = None, lock: Path = LOCK
) -> tuple[Path, ...]:
    """The locked jars as files, each checked against its hash just now; fetched first where they are missing.

    Safe to call from many processes: one fetches, the others wait, and the folder appears complete or not at all.
    Raises JarsUnavailable (no network), JarsDiffer (a hash) or FolderUnusable (the cache cannot be written).
    """
    progress = progress or Quiet()
    jars = read_lock(lock)
    mark = hashlib.sha256("".join(jar.sha256 for jar in jars).encode()).hexdigest()[:12]
    folder = cache / f"kafka-{KAFKA_VERSION}-{mark}"
    if not folder.is_dir():
        with only_one(cache):
            if not folder.is_dir():
                _fetch(jars, folder, repository, progress)
    for jar in jars:
        _check(jar, folder)
    return tuple(folder / jar.name for jar in jars)


def _check(jar: Jar, folder: Path) -> None:
    path = folder / jar.name
    if _sha256(path) != jar.sha256:
        raise JarsDiffer(
            f"{path} is not the file that the lock names (its SHA-256 differs): somebody changed it or the disk "
            f"is failing. Remove the folder {folder} and start again; it is then fetched anew."
        )


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextmanager
def only_one(cache: Path) -> Iterator[None]:
    """Nobody else writes to the cache meanwhile; raises FolderUnusable where nobody may."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        file = (cache / "fetching.lock").open("ab")
    except OSError as error:
        raise FolderUnusable(
            f"The folder {cache} for the Kafka jars cannot be written ({error.strerror}): "
            "make it writable, or name another one in INTABAZA_CACHE_FOLDER."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(jars: tuple[Jar, ...], folder: Path, repository: str | None, progress: Progress) -> None:
    from jgo.constants import MAVEN_CENTRAL_URL, default_maven_repo
    from jgo.maven import MavenContext

    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".fetching-"))
    try:
        complete = scratch / "complete"
        complete.mkdir(mode=0o755)
        maven = MavenContext(
            repo_cache=scratch / "repository",
            remote_repos={"central": (repository or MAVEN_CENTRAL_URL).rstrip("/")},
            timeout=20,
        )
        for count, jar in enumerate(jars):
            progress.advance("fetching the Kafka jars", count, len(jars))
            # what Maven itself has on this machine is as good, if it is the same file
            path = default_maven_repo() / jar.within_repository
            if _sha256(path) != jar.sha256:
                path = _download(maven, jar)
            shutil.copyfile(path, complete / jar.name)
            _check(jar, complete)
        progress.advance("fetching the Kafka jars", len(jars), len(jars))
        complete.rename(folder)
    except OSError as error:
        raise FolderUnusable(
            f"The Kafka jars could not be written to {folder.parent} ({error.strerror}): "
            "free some space or name another folder in INTABAZA_CACHE_FOLDER, then start again."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _download(maven: Any, jar: Jar) -> Path:
    import requests

    try:
        path: Path = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (requests.RequestException, RuntimeError) as error:
        where = " ".join(maven.remote_repos.values())
        raise JarsUnavailable(
            f"The Kafka jars are not on this machine yet, and {jar.name} could not be fetched from {where} "
            f"({type(error).__name__}): connect to the network, or name a reachable repository in "
            "INTABAZA_MAVEN_REPOSITORY, then start again."
        ) from error
    if _sha256(path) != jar.sha256:
        raise JarsDiffer(
            f"{jar.name} as {' '.join(maven.remote_repos.values())} sends it is not the file that the lock names (its "
            "SHA-256 differs), so it was thrown away: fetch from another repository (INTABAZA_MAVEN_REPOSITORY) and "
            "tell whoever runs this one."
        )
    return path


def write_lock(lock: Path = LOCK, coordinates: str = COORDINATES) -> None:
    """Resolve coordinates with jgo and write its lock, without the moment it was made: same jars, same bytes."""
    import jgo

    with tempfile.TemporaryDirectory() as folder:
        environment = jgo.build(coordinates, cache_dir=Path(folder))
        text = (environment.path / "jgo.lock.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("generated = ")]
    header = f"# What `make jars` resolved for {coordinates}; every start checks each file against its hash.\n"
    draft = lock.with_suffix(".draft")
    draft.write_text(header + "\n".join(lines) + "\n")
    read_lock(draft)
    draft.replace(lock)


if __name__ == "__main__":
    write_lock()
