"""A backup is written whole or not at all, one at a time in a folder."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

import asyncpg
import pytest

from services import clock
from services.backups.making import make_backup
from services.backups.manifest import Backup
from services.local.account import server_account
from services.local.binaries import find_binaries
from services.local.progress import Quiet
from services.local_problem import LocalProblem
from services.settings import Settings
from services.vault.master import MasterKey

if TYPE_CHECKING:
    from services.local.postgres import PostgresServer

MASTER = MasterKey(token_bytes(32))
MANY_KEYS = """
insert into vault.key (key_id, kind, subject, wrapped, wrap_version, made_at)
select gen_random_uuid(), 'report', gen_random_uuid()::text, decode(repeat('ab', 60), 'hex'), 1, clock_timestamp()
from generate_series(1, 2000)
"""
Back = Callable[[], Backup]


@pytest.fixture
def back_up(postgres: PostgresServer, fresh_database: str, tmp_path: Path) -> Back:
    settings = Settings(data_folder=tmp_path / "data")
    binaries = find_binaries(server_account(), settings.postgres_binaries).folder
    dsn = postgres.dsn(fresh_database)
    return lambda: make_backup(tmp_path / "backups", dsn, binaries, settings, MASTER, clock.now(), Quiet())


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of this process grows beyond this, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_fills_while_keys_are_written_ends_it_and_leaves_nothing(
    postgres: PostgresServer, fresh_database: str, back_up: Back, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    await owner.execute(MANY_KEYS)
    await owner.close()

    def on_a_full_disk() -> None:
        with files_end_at(100_000), pytest.raises(LocalProblem, match=r"No backup can be written into .*backups"):
            back_up()

    await asyncio.wait_for(asyncio.to_thread(on_a_full_disk), 60)
    assert list((tmp_path / "backups").iterdir()) == []


async def test_another_that_is_being_written_there_is_left_alone(back_up: Back, tmp_path: Path) -> None:
    half_done = tmp_path / "backups" / ".making-1"
    half_done.mkdir(parents=True)
    half_done.parent.chmod(0o700)
    other = os.open(half_done.parent, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(LocalProblem, match="Another backup is being written into"):
        await asyncio.to_thread(back_up)
    assert half_done.exists()

    os.close(other)
    await asyncio.to_thread(back_up)
    assert not half_done.exists()  # nobody writes it any more


async def test_a_folder_that_is_none_is_named_as_such(back_up: Back, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("")
    with pytest.raises(LocalProblem, match=r"No backup can be written into .*: name a folder"):
        await asyncio.to_thread(back_up)
