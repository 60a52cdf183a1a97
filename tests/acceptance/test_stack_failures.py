"""What keeps the stack from starting ends in one sentence that says what to do, and leaves nothing running."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.local.jars import kafka_jars
from services.settings import Settings
from tests.support.stack import Stack, a_stack


@pytest.fixture
def stack() -> Iterator[Stack]:
    with a_stack() as new:
        yield new


def refusal(stack: Stack, **extra: str) -> str:
    """What `up` says when it refuses: the last line of several, exit status 1, no traceback, nothing left running."""
    stack.extra = extra
    refused = stack.command("up")
    assert refused.returncode == 1, refused.stderr
    assert "Traceback" not in refused.stderr
    assert stack.processes() == []
    assert not (stack.folder / "state.json").exists()
    return refused.stderr


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a full disk is made by mounting a small one, which this account may not")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_no_network_for_the_jars(stack: Stack, tmp_path: Path) -> None:
    with socket.socket() as closed:  # bound, never listening: connections to it are refused
        closed.bind(("127.0.0.1", 0))
        said = refusal(
            stack,
            INTABAZA_CACHE_FOLDER=str(tmp_path / "cache"),
            INTABAZA_MAVEN_REPOSITORY=f"http://127.0.0.1:{closed.getsockname()[1]}/maven2",
            M2_REPO=str(tmp_path / "empty"),
        )
    assert re.search(r"could not be fetched from http://127\.0\.0\.1:\d+/maven2 .*connect to the network", said)


def test_a_cached_jar_whose_hash_differs(stack: Stack, tmp_path: Path) -> None:
    jars = kafka_jars(Settings().cache_folder)
    copy = tmp_path / jars[0].parent.name
    shutil.copytree(jars[0].parent, copy)
    with (copy / "kafka-clients-4.3.1.jar").open("r+b") as jar:
        jar.seek(100_000)
        jar.write(b"other")
    said = refusal(stack, INTABAZA_CACHE_FOLDER=str(tmp_path))
    assert re.search(r"kafka-clients-4\.3\.1\.jar is not the file that the lock names.*Remove the folder", said)


@pytest.mark.parametrize("server", ["POSTGRES", "KAFKA"])
def test_a_port_that_is_taken(stack: Stack, server: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(stack, **{f"INTABAZA_{server}_PORT": str(port)})
    assert re.search(
        rf"Port {port} on 127\.0\.0\.1.*is taken: end what listens there, or set INTABAZA_{server}_PORT", said
    )


@pytest.mark.parametrize("size", ["64k", "24m"])
def test_a_disk_that_is_full(stack: Stack, size: str) -> None:
    with small_disk(stack.folder, size):
        assert re.search(r"The disk under .* is full: free some space, then start again", refusal(stack))


def test_a_data_folder_of_another_postgresql(stack: Stack) -> None:
    data = stack.folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    said = refusal(stack)
    assert re.search(r"was made by PostgreSQL 15 and this is PostgreSQL \d+: .*INTABAZA_POSTGRES_BINARIES", said)


def test_a_data_folder_of_another_kafka(stack: Stack) -> None:
    (stack.folder / "kafka" / "data").mkdir(parents=True)
    (stack.folder / "kafka" / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=1\n")
    (stack.folder / "kafka" / "VERSION").write_text("3.9.1\n")
    said = refusal(stack)
    assert re.search(r"was made by Kafka 3\.9\.1 and this is Kafka 4\.3\.1: .*choose another data folder", said)


def test_a_data_folder_that_cannot_be_made(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refusal(stack, INTABAZA_DATA_FOLDER=str(tmp_path / "file" / "stack"))
    assert re.search(r"The data folder .*file/stack cannot be written .*INTABAZA_DATA_FOLDER", said)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_may_not_be_written(stack: Stack, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    said = refusal(stack, INTABAZA_DATA_FOLDER=str(tmp_path / "stack"))
    assert re.search(r"cannot be written \(Permission denied\): make it writable for this account", said)


def test_a_master_key_that_others_can_read(stack: Stack, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("irrelevant\n")
    key.chmod(0o644)
    assert f"run `chmod 600 {key}`" in refusal(stack, INTABAZA_VAULT_MASTER_KEY_FILE=str(key))


def test_a_java_that_is_not_there(stack: Stack) -> None:
    assert "correct INTABAZA_JAVA_HOME" in refusal(stack, INTABAZA_JAVA_HOME="/nowhere")


def test_a_setting_that_cannot_be_used(stack: Stack) -> None:
    said = refusal(stack, INTABAZA_PARTITIONS="many", INTABAZA_KAFKA_PORT="70000")
    assert "INTABAZA_PARTITIONS: input should be a valid integer" in said
    assert "INTABAZA_KAFKA_PORT: input should be less than or equal to 65535" in said


def test_detached_gives_the_same_sentence(stack: Stack) -> None:
    stack.extra = {"INTABAZA_JAVA_HOME": "/nowhere"}
    refused = stack.command("up", "--detach")
    assert refused.returncode == 1
    assert "correct INTABAZA_JAVA_HOME" in refused.stderr


def test_detached_leaves_it_running_and_down_ends_it(stack: Stack) -> None:
    begun = stack.command("up", "--detach")
    assert begun.returncode == 0, begun.stderr
    assert len(stack.processes()) == 2
    assert stack.command("down").returncode == 0
    assert stack.processes() == []
    nothing = stack.command("down")
    assert nothing.returncode == 1
    assert "there is nothing to end" in nothing.stderr
