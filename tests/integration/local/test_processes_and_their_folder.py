"""Who is who: recycled process ids, folders with one owner, files that are written whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.local.account import Account
from services.local.folder import DataFolder, write_synced
from services.local.problems import AlreadyRunning
from services.local.process import Identity, end_orphans, processes_with

SLEEPER = "import signal; signal.pause()"


def test_a_process_is_itself_until_it_ends_and_another_with_its_number_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", SLEEPER])
    identity = Identity.of(process.pid)
    assert identity.runs()
    assert Identity.read(identity.saved()).runs()
    assert not replace(identity, began="at another time").runs()
    process.kill()
    psutil.wait_procs([psutil.Process(process.pid)] if psutil.pid_exists(process.pid) else [], timeout=10)
    assert not identity.runs(), "also while nobody has collected its exit status"
    process.wait()
    assert not identity.runs()
    with pytest.raises(psutil.NoSuchProcess):
        Identity.of(process.pid)


def test_only_processes_with_both_arguments_side_by_side_are_ended(tmp_path: Path) -> None:
    ours, other = str(tmp_path / "ours"), str(tmp_path / "ours-too")
    started = [
        subprocess.Popen([sys.executable, "-c", SLEEPER, *arguments])
        for arguments in (("-D", ours), ("-D", other), (ours, "-D"), ("-D", "x", ours))
    ]
    try:
        assert [process.pid for process in processes_with(("-D", ours))] == [started[0].pid]
        assert end_orphans(("-D", ours), signal.SIGTERM) == 1
        assert not psutil.pid_exists(started[0].pid)
        assert all(process.poll() is None for process in started[1:])
        assert end_orphans(("-D", ours), signal.SIGTERM) == 0
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "stack")
    folder.prepare()
    assert not folder.is_owned()
    with folder.owned():
        assert folder.is_owned()
        with pytest.raises(AlreadyRunning, match=r"Another supervisor \(process \d+\)"), folder.owned():
            pass
        assert folder.is_owned(), "the refused one must not let go of what it never held"
    assert not folder.is_owned()


def test_a_file_that_could_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_synced(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_synced(file, "\ud800")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_master_key_is_made_once_and_missed_when_it_is_gone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "stack")
    folder.prepare()
    folder.find_master_key(None)
    first = folder.master_key.read_text()
    folder.find_master_key(None)
    assert folder.master_key.read_text() == first
    other = DataFolder(tmp_path / "other")
    other.prepare()
    other.find_master_key(None)
    assert other.master_key.read_text() != first


def test_an_account_reaches_what_every_folder_above_lets_through(tmp_path: Path) -> None:
    stranger = Account(64_999, 64_999)
    tmp_path.chmod(0o755)
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o755)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(closed)
    above = Account.can_reach(stranger, tmp_path)  # where the tests' own folder lies decides whether anything can
    assert stranger.can_reach(open_folder / "postgres") is above
    assert not stranger.can_reach(closed / "postgres")
    assert not stranger.can_reach(tmp_path / "link" / "postgres")
