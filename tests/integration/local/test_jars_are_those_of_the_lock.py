"""The Kafka jars: only what the lock names, whole or not at all, also when several processes want them at once."""

from __future__ import annotations

import hashlib
import http.server
import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.local.jars import KAFKA_VERSION, kafka_jars, read_lock
from services.local.problems import FolderUnusable, JarsDiffer
from services.settings import Settings

GROUP = "org.apache.kafka"


class Repository:
    """A Maven repository of one jar on 127.0.0.1, which counts how often it was asked for it."""

    def __init__(self, body: bytes) -> None:
        self.asked = 0
        repository = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.endswith("kafka_2.13-4.3.1.jar"):
                    self.send_error(404)
                    return
                repository.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/maven2/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def repository() -> Iterator[Repository]:
    serving = Repository(b"a jar")
    yield serving
    serving.close()


def lock_of(folder: Path, body: bytes, version: str = KAFKA_VERSION) -> Path:
    lock = folder / "kafka.lock.toml"
    lock.write_text(
        f'[[dependencies]]\ngroupId = "{GROUP}"\nartifactId = "kafka_2.13"\nversion = "{version}"\n'
        f'packaging = "jar"\nsha256 = "{hashlib.sha256(body).hexdigest()}"\n'
    )
    return lock


def fetch(cache: Path, repository: str, lock: Path) -> bytes:
    return kafka_jars(cache, repository=repository, lock=lock)[0].read_bytes()


def test_the_committed_lock_names_one_version_of_kafka() -> None:
    jars = read_lock()
    assert {jar.version for jar in jars if jar.group == GROUP} == {KAFKA_VERSION}
    assert len({jar.name for jar in jars}) == len(jars) == 46


def test_the_real_jars_come_and_are_checked_each_time(tmp_path: Path) -> None:
    assert len(kafka_jars(Settings().cache_folder)) == 46


def test_a_lock_in_which_a_dependency_moved_kafka_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JarsDiffer, match=r"does not name Kafka 4\.3\.1 throughout \(kafka_2\.13-3\.9\.1\.jar\)"):
        read_lock(lock_of(tmp_path, b"", "3.9.1"))


def test_a_jar_is_fetched_once_and_then_taken_from_the_cache(tmp_path: Path, repository: Repository) -> None:
    lock = lock_of(tmp_path, b"a jar")
    assert fetch(tmp_path / "cache", repository.url, lock) == b"a jar"
    assert fetch(tmp_path / "cache", repository.url, lock) == b"a jar"
    assert repository.asked == 1


def test_a_jar_that_a_repository_changed_is_thrown_away(tmp_path: Path, repository: Repository) -> None:
    lock = lock_of(tmp_path, b"another jar")
    with pytest.raises(JarsDiffer, match=r"kafka_2\.13-4\.3\.1\.jar as http.* sends it is not the file"):
        fetch(tmp_path / "cache", repository.url, lock)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["fetching.lock"]


def test_of_several_processes_one_fetches_and_all_have_it(tmp_path: Path, repository: Repository) -> None:
    lock = lock_of(tmp_path, b"a jar")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        got = pool.starmap(fetch, [(tmp_path / "cache", repository.url, lock)] * 6)
    assert got == [b"a jar"] * 6
    assert repository.asked == 1


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderUnusable, match="INTABAZA_CACHE_FOLDER"):
        fetch(tmp_path / "file" / "cache", repository.url, lock_of(tmp_path, b"a jar"))
