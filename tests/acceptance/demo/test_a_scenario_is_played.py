"""`intabaza demo --once` on real servers: good only if Kafka holds everything and every projection is its replay."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from rich.console import Console

from projections.live import LIVE
from services.demo.reading import read_scenario
from services.demo.show import Demonstration
from services.demo.stack import MARK, DemoStack
from services.local.addresses import find_addresses
from services.local.folder import DataFolder
from services.local_problem import LocalProblem
from services.settings import Settings, child_environment
from tests.conftest import server_folder
from tests.unit.demo.scenarios import FEW, write_scenario

CORRUPT = """
create function public.corrupt() returns trigger language plpgsql as $$
begin
    new.unit := 'bi:c2015:ngozi';
    return new;
end
$$;
create trigger corrupt before insert or update on case_board.case_board
    for each row execute function public.corrupt()
"""
"""Writes another place into every row of the board: a projection that folds wrongly."""


@pytest.fixture
def folder() -> Iterator[Path]:
    path = server_folder() / "demo"
    yield path
    asyncio.run(DemoStack(Settings(data_folder=path)).down())
    shutil.rmtree(path.parent)


def demo(scenario: Path, folder: Path) -> subprocess.Popen[str]:
    """The command as a person gives it, without a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "services.cli", "demo", str(scenario), "--once", "--folder", str(folder)],
        env=child_environment(Settings(data_folder=folder))
        | {"INTABAZA_API_PORT": "0"},  # another one may run beside it
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_few_days_are_played_checked_and_ended(tmp_path: Path, folder: Path) -> None:
    process = demo(write_scenario(tmp_path, *FEW), folder)
    said, _ = process.communicate(timeout=800)
    assert process.returncode == 0, said
    assert "5 things that public accounts tell, and 58 commands" in said
    assert "acknowledged commands are on Kafka" in said
    assert f"all {len(LIVE)} projections" in said
    assert "Days at each level" in said
    assert "Overdue:" in said
    assert "invented" in said
    assert not DataFolder(folder).is_owned(), "the stack still runs"


def test_a_projection_that_folds_wrongly_makes_it_fail_and_is_named(tmp_path: Path, folder: Path) -> None:
    process = demo(write_scenario(tmp_path, *FEW), folder)
    broken = threading.Thread(target=lambda: asyncio.run(break_the_board(folder, process)))
    broken.start()
    said, _ = process.communicate(timeout=800)
    broken.join()
    assert process.returncode == 1, said
    assert "case_board differs from its replay" in said
    for other in ("alert_level", "case_timeline", "coverage", "referral_board", "review_queue"):
        assert f"{other} differs" not in said
    assert not DataFolder(folder).is_owned(), "the stack still runs"


async def break_the_board(folder: Path, process: subprocess.Popen[str]) -> None:
    """As soon as the board has its table, before anybody has opened a case."""
    while process.poll() is None:
        try:
            connection = await asyncpg.connect(find_addresses(Settings(data_folder=folder)).owner_dsn)
        except (LocalProblem, OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.02)
            continue
        try:
            while await connection.fetchval("select to_regclass('case_board.case_board')") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await connection.execute(CORRUPT)
        finally:
            await connection.close()
        return


async def test_a_folder_that_is_no_demonstrations_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "letters.txt").write_text("mine")
    scenario = read_scenario(write_scenario(tmp_path, *FEW))
    stack = DemoStack.in_folder(kept, "Africa/Bujumbura")
    with pytest.raises(LocalProblem, match="no folder of a demonstration"):
        await Demonstration(scenario, stack, Console(quiet=True)).run(once=True)
    assert [file.name for file in kept.iterdir()] == ["letters.txt"]
    (kept / MARK).touch()
    await stack.begin_anew()
    assert not (kept / "letters.txt").exists()
