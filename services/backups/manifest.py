"""What a backup is: its files with their sums, what they were made of, and a MAC under the master key over all that."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson

from events.envelope import canonical
from services.local.folder import write_synced
from services.local_problem import LocalProblem
from services.vault.master import MasterKey

MANIFEST = "manifest.json"
LEDGER, VAULT, KEY_ROWS, KEYS = "ledger.dump", "vault.dump", "key-rows.csv", "keys.csv"
FILES = (LEDGER, VAULT, KEY_ROWS, KEYS)
NAMES = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z"
"""What a backup's folder is called: the moment at which it was made."""
FORM = 1


class BackupRefused(LocalProblem):
    """A folder is no backup that may be put back."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A whole backup: where it is, when it was made, up to which position, by which migration."""

    folder: Path
    made_at: datetime
    head: int
    migration: int
    files: Mapping[str, Mapping[str, Any]]

    def has_keys(self) -> bool:
        """Whether its keys are still there: they end before the rest."""
        return (self.folder / KEYS).exists()


def write_manifest(folder: Path, made_at: datetime, head: int, migration: int, master: MasterKey) -> None:
    """Sum up the files of a folder that is being made."""
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": _sum(folder / name).hex()} for name in FILES}
    said = {"form": FORM, "made_at": made_at.isoformat(), "head": head, "migration": migration, "files": files}
    mac = master.backup_mac(canonical(said)).hex()
    write_synced(folder / MANIFEST, orjson.dumps(said | {"mac": mac}, option=orjson.OPT_INDENT_2).decode() + "\n")


def read_backup(folder: Path, master: MasterKey) -> Backup:
    """The backup in a folder, if it is whole and ours; raises BackupRefused."""
    file = folder / MANIFEST
    try:
        said = orjson.loads(file.read_bytes())
        mac = bytes.fromhex(said.pop("mac"))
        same = hmac.compare_digest(mac, master.backup_mac(canonical(said)))
    except FileNotFoundError:
        raise BackupRefused(
            f"There is no {file}: name a folder that `intabaza backup` made, or the one with several of them."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupRefused(f"{file} cannot be read: it was cut or edited. Take another backup.") from None
    if not same:
        raise BackupRefused(
            f"{file} was not written under this master key, or was edited since: put the master key of that network in "
            "its place (`intabaza settings` says where), or take another backup."
        )
    if said["form"] != FORM:
        raise BackupRefused(f"{file} is of a form that this program does not know: use the release that made it.")
    return Backup(folder, datetime.fromisoformat(said["made_at"]), said["head"], said["migration"], said["files"])


def refuse_what_differs(backup: Backup, *, keys: bool) -> None:
    """Raise BackupRefused where a file is not what the manifest says of it."""
    for name, said in backup.files.items():
        if name == KEYS and not keys:
            continue
        file = backup.folder / name
        if not file.exists():
            raise BackupRefused(
                f"{file} is gone: it belongs to this backup. Put it there again, or take another backup."
            )
        if file.stat().st_size != said["bytes"] or _sum(file).hex() != said["sha256"]:
            raise BackupRefused(
                f"{file} is not what was written: it was cut or edited ({file.stat().st_size} bytes now, "
                f"{said['bytes']} then). Take another backup."
            )


def backups_in(folder: Path, master: MasterKey) -> list[Backup]:
    """The backups of a folder, the oldest first; those that cannot be read are left out."""
    found = []
    for each in sorted(folder.iterdir()) if folder.is_dir() else []:
        if each.is_dir() and not each.name.startswith("."):
            try:
                found.append(read_backup(each, master))
            except BackupRefused:
                continue
    return sorted(found, key=lambda one: one.made_at)


def _sum(file: Path) -> bytes:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").digest()
