"""Ctrl-C, kills and restarts: what was stored stays, what was started ends, and nothing else does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from services.local.children import Child
from services.local.folder import DataFolder
from services.local.problems import ChildDied
from services.local.progress import Quiet
from services.local.stopping import Stopping
from services.local.supervisor import Supervisor
from services.local_problem import LocalProblem
from services.restoring.ahead import shut_where_kafka_is_ahead
from services.settings import Settings
from tests.support.stack import Stack, a_stack, wait_for


async def store_something(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.addresses.owner_dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await connection.close()
    producer = KafkaProducer(bootstrap_servers=stack.addresses.bootstrap)
    producer.send("events.v1", b"kept", partition=0).get(timeout=30)
    producer.close()


async def what_was_stored(stack: Stack) -> tuple[int, bytes]:
    connection = await asyncpg.connect(stack.addresses.owner_dsn)
    row = await connection.fetchval("SELECT n FROM kept")
    await connection.close()
    consumer = KafkaConsumer(bootstrap_servers=stack.addresses.bootstrap)
    partition = TopicPartition("events.v1", 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    record = next(consumer)
    consumer.close()
    return row, record.value


async def test_ctrl_c_ends_all_of_one_stack_and_nothing_of_its_neighbour() -> None:
    with a_stack() as ours, a_stack() as neighbour:
        ours.up()
        neighbour.up()
        assert ours.supervisor is not None
        await store_something(ours)
        processes, others = ours.processes(), neighbour.processes()
        assert len(processes) == len(others) == 2
        os.killpg(ours.supervisor.pid, signal.SIGINT)  # as a terminal does: the whole foreground group
        code, said = ours.wait_for_the_end()
        assert code == 0
        assert said.index("Ending kafka.") < said.index("Ending postgres.")
        assert not any(process.is_running() for process in processes)
        assert ours.processes() == []
        assert not (ours.folder / "postgres" / "data" / "postmaster.pid").exists(), "PostgreSQL was not ended cleanly"
        assert all(process.is_running() for process in others)
        assert neighbour.command("status").returncode == 0
        assert ours.command("status").returncode == 1
        ours.up()
        assert await what_was_stored(ours) == (7, b"kept")


async def test_after_a_kill_of_the_supervisor_the_next_start_ends_its_orphans_and_finds_everything() -> None:
    with a_stack() as stack:
        stack.up()
        await store_something(stack)
        assert stack.supervisor is not None
        stack.supervisor.kill()
        stack.wait_for_the_end()
        orphans = stack.processes()
        assert len(orphans) == 2, "the servers outlive a killed supervisor"
        assert "No stack runs" in stack.command("status").stderr
        stack.up()
        assert not any(orphan.is_running() for orphan in orphans)
        assert len(stack.processes()) == 2
        assert await what_was_stored(stack) == (7, b"kept")
        assert stack.command("down").returncode == 0
        code, said = stack.wait_for_the_end()
        assert code == 0
        assert "Ended the kafka process that an earlier supervisor had left running." in said
        assert stack.processes() == []


async def test_a_killed_server_is_started_again_where_it_was() -> None:
    with a_stack() as stack:
        stack.up()
        await store_something(stack)
        before = stack.state
        for name in ("postgres", "kafka"):
            psutil.Process(stack.pid(name)).kill()
            wait_for(lambda name=name: stack.pid(name) != before["servers"][name]["pid"], 60)  # type: ignore[misc]
        assert stack.state["ports"] == before["ports"]
        assert await what_was_stored(stack) == (7, b"kept")
        assert stack.command("status").returncode == 0


async def test_a_database_that_is_asked_to_end_while_somebody_is_connected_ends_and_is_started_again() -> None:
    with a_stack(INTABAZA_PROCESSORS="0") as stack:
        stack.up()
        before = stack.state["servers"]["postgres"]
        connection = await asyncpg.connect(stack.addresses.owner_dsn)
        psutil.Process(stack.pid("postgres")).terminate()  # alone it would wait for this session, and take no other
        await asyncio.to_thread(wait_for, lambda: stack.state["servers"]["postgres"] != before, 60)
        connection.terminate()
        again = await asyncpg.connect(stack.addresses.owner_dsn)
        await again.close()


async def test_a_missing_data_folder_is_missed_and_not_made_anew() -> None:
    with a_stack() as stack:
        stack.up()
        assert stack.command("down").returncode == 0
        stack.wait_for_the_end()
        data = stack.folder / "postgres" / "data"
        data.rename(stack.folder / "elsewhere")
        refused = stack.command("up")
        assert refused.returncode == 1
        assert "is gone although this folder was used before" in refused.stderr
        assert not data.exists()
        (stack.folder / "elsewhere").rename(data)
        (stack.folder / "secrets" / "vault-master.key").unlink()
        refused = stack.command("up")
        assert refused.returncode == 1
        assert "vault's master key is gone" in refused.stderr
        assert not stack.processes()


@contextmanager
def supervised(supervisor: Supervisor) -> Iterator[Future[None]]:
    """The supervisor while it runs, in a thread; it is asked to end after the block."""
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(supervisor.run)
        try:
            yield running
        finally:
            supervisor.stopping.ask()


def test_servers_that_exist_are_used_and_not_run_and_a_child_that_keeps_dying_is_given_up_alone(
    tmp_path: Path,
) -> None:
    with a_stack() as existing:
        existing.up()
        addresses = existing.addresses
        settings = Settings(
            data_folder=tmp_path / "stack",
            postgres_dsn=addresses.owner_dsn,
            kafka_bootstrap=addresses.bootstrap,
        )
        folder = DataFolder(settings.folder)
        # a child that runs is ended; `this` prints its lines and is over, again and again
        children = (Child("patient", "tests.support.waits"), Child("restless", "this"))
        supervisor = Supervisor(
            settings, Quiet(), Stopping(), shut_where_kafka_is_ahead, children, restart_delays_seconds=(0.0, 0.0)
        )
        with supervised(supervisor) as running:
            wait_for(lambda: "restless" in (folder.state() or {}).get("given_up", ()), 60)
            given_up = (folder.state() or {})["given_up"]["restless"]
            assert given_up["deaths"] == 3
            assert "The restless process ended by itself with status 0; its log" in given_up["because"]
            assert "Namespaces are one honking" in given_up["because"]
            assert psutil.pid_exists(supervisor.running[0].pid or 0)
            folder.ask_to_restart("restless")
            wait_for(lambda: given_up["at"] != (folder.state() or {})["given_up"].get("restless", given_up)["at"], 60)
            assert not folder.is_asked_to_restart("restless")
        running.result()
        assert (settings.folder / "logs" / "restless.log").read_text().count("The Zen of Python") == 6
        assert [server.name for server in supervisor.running] == ["patient", "restless"]
        assert supervisor.running[0].pid is None
        assert not (settings.folder / "postgres").exists()
        assert not (settings.folder / "kafka").exists()
        assert existing.command("status").returncode == 0


def test_a_server_that_keeps_dying_ends_the_stack() -> None:
    with a_stack() as existing, a_stack() as ours:
        existing.up()
        settings = Settings(data_folder=ours.folder, kafka_bootstrap=existing.addresses.bootstrap)
        children = (Child("patient", "tests.support.waits"),)
        supervisor = Supervisor(
            settings, Quiet(), Stopping(), shut_where_kafka_is_ahead, children, restart_delays_seconds=(0.0,)
        )
        with supervised(supervisor) as running:
            wait_for(lambda: ours.state.get("ready"), 60)
            first = ours.pid("postgres")
            psutil.Process(first).kill()
            wait_for(lambda: ours.pid("postgres") != first, 60)
            psutil.Process(ours.pid("postgres")).kill()
            with pytest.raises(ChildDied, match=r"PostgreSQL ended"):
                running.result(60)
        assert supervisor.running[-1].name == "patient"
        assert supervisor.running[-1].pid is None
        assert ours.processes() == []


def test_existing_servers_that_do_not_answer_are_named(tmp_path: Path) -> None:
    nowhere = "postgresql://somebody@127.0.0.1:1/nothing"
    settings = Settings(data_folder=tmp_path / "stack", postgres_dsn=nowhere, kafka_bootstrap="127.0.0.1:1")
    with pytest.raises(LocalProblem, match=r"INTABAZA_POSTGRES_DSN names could not be used.*start it, or correct"):
        Supervisor(settings, Quiet(), Stopping(), shut_where_kafka_is_ahead).run()
    assert not (settings.folder / "state.json").exists()
