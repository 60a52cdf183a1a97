"""A PostgreSQL server of ours: durable, killed and started again, refused where the data is another version's."""

from __future__ import annotations

import os
import shutil
import socket

import asyncpg
import psutil
import pytest

from services.local.folder import DataFolder
from services.local.postgres import PostgresServer
from services.local.problems import ChildDied, PortTaken, WrongVersion
from services.local.progress import Quiet
from services.local.servers import postgres_of
from services.settings import Settings
from tests.conftest import server_folder


async def test_what_was_committed_is_there_after_a_kill(durable_postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(durable_postgres.dsn())
    await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    durable_postgres.kill()
    connection.terminate()
    durable_postgres.start()
    connection = await asyncpg.connect(durable_postgres.dsn())
    assert await connection.fetchval("SELECT n FROM kept") == 7
    await connection.close()


async def test_a_durable_server_syncs_and_the_tests_own_does_not(
    durable_postgres: PostgresServer, postgres: PostgresServer
) -> None:
    for server, fsync in ((durable_postgres, "on"), (postgres, "off")):
        connection = await asyncpg.connect(server.dsn())
        assert await connection.fetchval("SHOW fsync") == fsync
        await connection.close()


async def test_an_empty_database_is_new_and_empty(postgres: PostgresServer, empty_database: str) -> None:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    assert await connection.fetchval("SELECT current_database()") == empty_database
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()


def test_root_runs_the_server_as_nobody(postgres: PostgresServer) -> None:
    assert postgres.pid is not None
    uid = psutil.Process(postgres.pid).uids().effective
    assert uid == postgres.account.uid
    assert uid != 0


async def test_with_a_password_nobody_comes_in_without_it() -> None:
    server = PostgresServer(server_folder(), port=0, password="correct horse", durable=False)
    server.start()
    try:
        connection = await asyncpg.connect(server.dsn())
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn(password="wrong"))
        assert not list(server.folder.glob(".initdb-*")), "the password's file must be gone"
    finally:
        server.remove()


def test_a_data_folder_of_another_version_is_refused_and_left_alone() -> None:
    server = PostgresServer(server_folder(), durable=False)
    server.make()
    (server.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(WrongVersion, match=r"made by PostgreSQL 9\.6 and this is PostgreSQL \d+.*pg_upgrade"):
        server.start()
    assert server.pid is None
    server.remove()


def test_a_taken_port_is_said_and_a_free_one_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = PostgresServer(server_folder(), port=taken.getsockname()[1], durable=False)
        with pytest.raises(PortTaken, match=rf"Port {taken.getsockname()[1]} .* INTABAZA_POSTGRES_PORT"):
            server.start()
        server.remove()


def test_a_server_that_cannot_start_says_so_with_the_end_of_its_log() -> None:
    server = PostgresServer(server_folder(), durable=False, options={"shared_buffers": "a lot"})
    with pytest.raises(ChildDied, match=r"(?s)ended by itself.*shared_buffers"):
        server.start()
    server.remove()


def test_an_initdb_that_was_killed_half_way_is_made_anew() -> None:
    folder = server_folder()
    (folder / "data.making").mkdir()
    (folder / "data.making" / "PG_VERSION").write_text("18\n")
    server = PostgresServer(folder, durable=False)
    server.start()
    server.remove()


def test_a_folder_too_deep_for_a_socket_still_works() -> None:
    folder = server_folder()
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    server = PostgresServer(deep, durable=False)
    server.start()
    assert len(os.fsencode(server.dsn())) < 200
    server.remove()


def test_its_place_stays_the_same_where_a_first_try_came_to_nothing() -> None:
    data = DataFolder(server_folder() / "data")
    try:
        data.prepare()
        settings = Settings(data_folder=data.path)
        tries = [postgres_of(data, settings, None, Quiet()).folder for _ in range(2)]
        assert tries == [data.path / "postgres"] * 2
    finally:
        shutil.rmtree(data.path.parent)
