"""The newest backup is put back, and where that one is damaged an older one only when it is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes

import pytest

from services.backups.manifest import FILES, KEYS, MANIFEST, BackupRefused, write_manifest
from services.backups.putting_back import choose, put_back
from services.local.progress import Quiet
from services.settings import Settings
from services.vault.master import MasterKey

MASTER = MasterKey(token_bytes(32))
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def a_backup(into: Path, days: int, name: str | None = None) -> Path:
    """A backup of so many days ago."""
    made_at = NOW - timedelta(days=days)
    folder = into / (name or f"{made_at:%Y-%m-%dT%H%M%S.%fZ}")
    folder.mkdir()
    for file in FILES:
        (folder / file).write_text(file)
    write_manifest(folder, made_at, 7, 36, MASTER)
    return folder


def test_the_newest_or_the_one_that_is_named(tmp_path: Path) -> None:
    older, newest = a_backup(tmp_path, 2), a_backup(tmp_path, 1)
    (tmp_path / ".making-1").mkdir()
    assert choose(tmp_path, MASTER).folder == newest
    assert choose(older, MASTER).folder == older
    renamed = newest.rename(tmp_path / "yesterday")
    assert choose(tmp_path, MASTER).folder == renamed


@pytest.mark.parametrize("manifest", [b"", b"{", b"[1]", b"\xff", None])
def test_a_damaged_one_is_named_and_not_passed_over(tmp_path: Path, manifest: bytes | None) -> None:
    older, newest = a_backup(tmp_path, 2), a_backup(tmp_path, 1)
    if manifest is None:
        (newest / MANIFEST).unlink()
    else:
        (newest / MANIFEST).write_bytes(manifest)
    with pytest.raises(BackupRefused) as refused:
        choose(tmp_path, MASTER)
    assert str(newest / MANIFEST) in str(refused.value)
    assert str(refused.value).endswith(f"To put back an older one, name it: {older}.")


def test_the_only_one_is_named_where_it_is_damaged(tmp_path: Path) -> None:
    only = a_backup(tmp_path, 1)
    (only / MANIFEST).write_text("")
    with pytest.raises(BackupRefused, match="was cut or edited"):
        choose(tmp_path, MASTER)


def test_keys_that_are_gone_before_their_time_are_not_said_to_be_old(tmp_path: Path) -> None:
    (a_backup(tmp_path, 1) / KEYS).unlink()
    with pytest.raises(BackupRefused, match=r"keys\.csv is gone: put it there again"):
        put_back(tmp_path, Settings(data_folder=tmp_path / "data"), MASTER, NOW, Quiet())
