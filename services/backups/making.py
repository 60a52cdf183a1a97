"""A backup is made: ledger, vault and keys of one moment, each in its file, and the folder gets its name last."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from services.backups.manifest import KEY_ROWS, KEYS, LEDGER, VAULT, Backup, backups_in, read_backup, write_manifest
from services.database.lost import CONNECT_SECONDS, LOST
from services.local.progress import Progress
from services.local_problem import LocalProblem
from services.settings import Settings, child_environment
from services.vault.master import MasterKey

MAKING = ".making-"
SCHEMAS = {LEDGER: ("ledger", "notary"), VAULT: ("vault", "notifier")}
"""What each dump holds; subscribers go with the vault, since their secrets are sealed as its keys are. Cosignatures go
with the ledger, since a witness says the last one again and no earlier one."""

LEFT_OUT = ("vault.key", "notary.tree", "notary.tile", "notary.standing")
"""Keys are written apart, and the tree follows from the ledger."""

STANDING = """
select coalesce((select position from ledger.event order by position desc limit 1), 0) as head,
    (select max(number) from public.migration) as migration, pg_export_snapshot() as snapshot
"""
ROWS_OF_KEYS = "select key_id, kind, subject, person_id, wrap_version, made_at, destroyed_at from vault.key"
WRAPPED = "select key_id, wrapped from vault.key where wrapped is not null"


def make_backup(
    into: Path, owner_dsn: str, binaries: Path, settings: Settings, master: MasterKey, now: datetime, progress: Progress
) -> Backup:
    """Write a backup of a running stack into a new folder in `into`. Raises LocalProblem; half of one is removed."""
    scratch = into / f"{MAKING}{os.getpid()}"
    target = into / f"{now:%Y-%m-%dT%H%M%S.%fZ}"
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        if into.stat().st_mode & 0o077:
            raise LocalProblem(f"{into} can be read by others: run `chmod 700 {into}`, then again.")
        with _alone(into):
            for left in into.glob(f"{MAKING}*"):
                shutil.rmtree(left, ignore_errors=True)
            try:
                scratch.mkdir(mode=0o700)
                head, migration = asyncio.run(_dump(scratch, owner_dsn, binaries, settings, progress))
                for file in scratch.iterdir():
                    file.chmod(0o600)
                write_manifest(scratch, now, head, migration, master)
                _name(scratch, target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise _unusable(into, error) from error
    return read_backup(target, master)


@contextmanager
def _alone(into: Path) -> Iterator[None]:
    """One backup at a time in a folder: what another has half done would be removed as left behind."""
    descriptor = os.open(into, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise LocalProblem(f"Another backup is being written into {into}: wait until it is done.") from error
    finally:
        os.close(descriptor)


def _name(scratch: Path, target: Path) -> None:
    """Give a backup its name, once all of it is on the disk."""
    for file in scratch.iterdir():
        _sync(file)
    _sync(scratch)
    scratch.rename(target)
    _sync(target.parent)


def _unusable(into: Path, error: OSError) -> LocalProblem:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LocalProblem(f"The disk under {into} is full and no backup was written: free some space, then again.")
    return LocalProblem(
        f"No backup can be written into {into} ({error.strerror}): name a folder that this account may write to."
    )


def end_keys(into: Path, master: MasterKey, before: datetime) -> list[Path]:
    """Remove the keys of backups that are older than a moment; the folders whose keys ended."""
    ended = []
    for backup in backups_in(into, master):
        if backup.made_at < before and backup.has_keys():
            (backup.folder / KEYS).unlink()
            ended.append(backup.folder)
    return ended


def horizon(settings: Settings, now: datetime) -> datetime:
    """Keys in backups from before this moment are not put back any more."""
    return now - timedelta(days=settings.key_backup_days)


async def _dump(
    scratch: Path, owner_dsn: str, binaries: Path, settings: Settings, progress: Progress
) -> tuple[int, int]:
    try:
        connection = await asyncpg.connect(owner_dsn, timeout=CONNECT_SECONDS)
    except LOST as error:
        raise LocalProblem(f"The database did not answer ({type(error).__name__}): see `intabaza status`.") from error
    try:
        # it ends with the connection: asyncpg waits for ever for the end of one in which a copy met a full disk
        await connection.transaction(isolation="repeatable_read", readonly=True).start()
        standing = await connection.fetchrow(STANDING)
        assert standing is not None
        for number, (name, schemas) in enumerate(SCHEMAS.items()):
            progress.advance("writing the backup", number, 3)
            chosen = [part for schema in schemas for part in ("--schema", schema)]
            await asyncio.to_thread(
                run,
                [str(binaries / "pg_dump"), "--format=custom", "--data-only",
                 *(f"--exclude-table-data={table}" for table in LEFT_OUT),
                 f"--snapshot={standing['snapshot']}", f"--file={scratch / name}", *chosen],
                owner_dsn,
                settings,
            )  # fmt: skip
        await connection.copy_from_query(ROWS_OF_KEYS, output=scratch / KEY_ROWS, format="csv")
        await connection.copy_from_query(WRAPPED, output=scratch / KEYS, format="csv")
        progress.advance("writing the backup", 3, 3)
        return standing["head"], standing["migration"]
    except LOST as error:
        if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
            raise  # of the file that is written
        raise LocalProblem(f"The database went away while it was backed up ({type(error).__name__}): again.") from error
    finally:
        connection.terminate()


def run(command: list[str], dsn: str, settings: Settings) -> None:
    """Run a program of PostgreSQL on a database; its password is where no list of processes has it."""
    parts = urlsplit(dsn)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    port = parts.port or parse_qs(parts.query).get("port", ["5432"])[0]
    database = {
        "PGHOST": host,
        "PGPORT": str(port),
        "PGUSER": unquote(parts.username or "postgres"),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
            command,
            env=child_environment(settings) | database,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            umask=0o077,
        )
    except OSError as error:
        raise LocalProblem(
            f"{command[0]} could not be started ({error.strerror}): INTABAZA_POSTGRES_BINARIES names a folder with "
            "all programs of PostgreSQL, or leave it out."
        ) from error
    if done.returncode != 0:
        said = "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-6:])
        raise LocalProblem(f"{Path(command[0]).name} did not do its work; it said:\n{said}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
