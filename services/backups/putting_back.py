"""A backup is put back: a new PostgreSQL is made of it, completed from Kafka, and gets its place last."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from services.backups.making import horizon, run
from services.backups.manifest import (
    KEY_ROWS,
    KEYS,
    LEDGER,
    NAMES,
    VAULT,
    Backup,
    BackupRefused,
    backups_in,
    read_backup,
    refuse_what_differs,
)  # fmt: skip
from services.database.migrate import migrate
from services.local.database import DATABASE, prepare_local_database
from services.local.folder import DataFolder
from services.local.postgres import PostgresServer
from services.local.progress import Progress
from services.local.servers import kafka_is_there, kafka_of, postgres_of
from services.local_problem import LocalProblem
from services.restoring.damage import Hole
from services.restoring.ledger import BECAUSE, SQL, Restored, restore_ledger
from services.settings import Settings
from services.vault.master import MasterKey

EMPTY = """
select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables
where schemaname in ('ledger', 'vault', 'notifier')
"""
MAKE_KEYS = """
insert into vault.key (key_id, kind, subject, person_id, wrapped, wrap_version, made_at, destroyed_at)
select r.key_id, r.kind, r.subject, r.person_id, w.wrapped, r.wrap_version, r.made_at,
    case when w.wrapped is null then coalesce(r.destroyed_at, clock_timestamp()) end
from key_row r left join key_wrapped w using (key_id)
"""


@dataclass(frozen=True, slots=True)
class PutBack:
    """What was put back; `completed` from Kafka where there is one, `stopped_at` the gap where that ended."""

    backup: Backup
    keys: bool
    completed: Restored | None
    stopped_at: Hole | None


def choose(folder: Path, master: MasterKey) -> Backup:
    """The backup in a folder, or the newest of several in it, and no older one where that is damaged."""
    if not folder.is_dir():
        raise BackupRefused(f"There is no folder {folder}: name one that `intabaza backup` wrote to.")
    newest = max(folder.glob(NAMES), default=None)
    found = backups_in(folder, master)
    if newest is None or (found and found[-1].folder.name >= newest.name):
        return found[-1] if found else read_backup(folder, master)
    try:
        return read_backup(newest, master)
    except BackupRefused as refused:
        older = f" To put back an older one, name it: {found[-1].folder}." if found else ""
        raise BackupRefused(f"{refused}{older}") from None


def put_back(
    folder: Path,
    settings: Settings,
    master: MasterKey,
    now: datetime,
    progress: Progress,
    *,
    keys: bool = True,
    kafka: bool = True,
) -> PutBack:
    """Put a backup back in a stack that is down and has no database. Raises LocalProblem, and leaves nothing then.

    Without `kafka` it is not completed from there: that is gone for good as well.
    """
    if settings.postgres_dsn is not None:
        raise LocalProblem(
            "INTABAZA_POSTGRES_DSN names a PostgreSQL of your own: put back its own backup there, then `intabaza up` "
            "and `intabaza ledger restore`; or leave the setting out."
        )
    backup = choose(folder, master)
    if keys and not backup.has_keys() and backup.made_at >= horizon(settings, now):
        raise BackupRefused(
            f"{backup.folder / KEYS} is gone: put it there again, or take another backup; or `--without-keys`, which "
            "leaves every text that was sealed by then shut for ever."
        )
    if keys and backup.made_at < horizon(settings, now):
        raise BackupRefused(
            f"The keys in {backup.folder} are of {backup.made_at:%Y-%m-%d}, and keys of backups end after "
            f"{settings.key_backup_days} days (INTABAZA_KEY_BACKUP_DAYS), so that what was destroyed stays destroyed: "
            "take a newer backup, or `--without-keys`, which leaves every text that was sealed by then shut for ever."
        )
    refuse_what_differs(backup, keys=keys)
    data = DataFolder(settings.folder)
    data.prepare()
    with data.owned():
        if kafka:
            _refuse_without_kafka(data, settings)
        return _put_back(backup, data, settings, master, progress, keys=keys, kafka=kafka)


def _refuse_without_kafka(data: DataFolder, settings: Settings) -> None:
    if settings.kafka_bootstrap is None and "kafka" in (data.made() or {}) and not kafka_is_there(data):
        raise BackupRefused(
            f"Kafka's data in {data.path} is gone too, and has what was recorded, and what was destroyed, since the "
            "backup: put it back from where it went. If it is gone for good, `--without-kafka`, and `intabaza up "
            "--anew kafka` after it."
        )


def _put_back(
    backup: Backup,
    data: DataFolder,
    settings: Settings,
    master: MasterKey,
    progress: Progress,
    *,
    keys: bool,
    kafka: bool,
) -> PutBack:
    made = data.made() or {}
    others = {name: where for name, where in made.items() if name != "postgres"}
    server = postgres_of(data, settings, others, progress)
    place = server.folder
    for there in {place, Path(made.get("postgres", place))}:
        if (there / "data").exists():
            raise LocalProblem(
                f"There is a database in {there / 'data'}: a backup is not put over it. Move that folder away first, "
                "and keep it until you have looked at what was put back."
            )
    scratch = place.with_name(f"{place.name}.putting-back")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=place.stat().st_mode & 0o777)
    new = PostgresServer(scratch, port=0, password=server.password, binaries=server.binaries, account=server.account)
    try:
        progress.say(f"Putting back what {backup.folder} holds.")
        new.start()
        dsn = new.dsn(DATABASE)
        asyncio.run(_load(backup, new, settings, keys))
        prepare_local_database(new.dsn(), dsn, data.passwords())
        asyncio.run(_shut(dsn))
        completed, hole = _complete(dsn, data, settings, made, master, progress) if kafka else (None, None)
        new.stop()
        shutil.rmtree(place)
        scratch.rename(place)
        if made:
            data.write_made(made | {"postgres": str(place)})
    finally:
        new.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    return PutBack(backup, keys, completed, hole)


async def _load(backup: Backup, server: PostgresServer, settings: Settings, keys: bool) -> None:
    """A database as the backup's release made it, with its rows; what a later release changes is done after that."""
    connection = await asyncpg.connect(server.dsn())
    await connection.execute(f'create database "{DATABASE}"')
    await connection.close()
    dsn = server.dsn(DATABASE)
    await migrate(dsn, through=backup.migration)
    connection = await asyncpg.connect(dsn)
    try:
        # rows that migrations made, and triggers that refuse every change: this is the superuser, before anybody comes
        await connection.execute("set session_replication_role = replica")
        await connection.execute(f"truncate {await connection.fetchval(EMPTY)} cascade")
        for name in (LEDGER, VAULT):
            await asyncio.to_thread(
                run,
                [str(server.binaries.folder / "pg_restore"), "--data-only", "--disable-triggers",
                 "--single-transaction", "--exit-on-error", "--no-owner", f"--dbname={DATABASE}",
                 str(backup.folder / name)],
                dsn,
                settings,
            )  # fmt: skip
        async with connection.transaction():
            await connection.execute("create temporary table key_row (like vault.key) on commit drop")
            await connection.execute("alter table key_row drop column wrapped")
            await connection.execute("create temporary table key_wrapped (key_id uuid, wrapped bytea) on commit drop")
            await connection.copy_to_table(
                "key_row",
                source=backup.folder / KEY_ROWS,
                format="csv",
                columns=["key_id", "kind", "subject", "person_id", "wrap_version", "made_at", "destroyed_at"],
            )
            if keys:
                await connection.copy_to_table("key_wrapped", source=backup.folder / KEYS, format="csv")
            await connection.execute(MAKE_KEYS)
        head = (await connection.fetchrow(SQL["head"]) or {"position": 0})["position"]
        if head != backup.head:
            raise BackupRefused(f"{backup.folder} says that its ledger ends at {backup.head}, and it does at {head}.")
    finally:
        connection.terminate()


def _complete(
    dsn: str, data: DataFolder, settings: Settings, made: dict[str, object], master: MasterKey, progress: Progress
) -> tuple[Restored | None, Hole | None]:
    """From Kafka, with what was destroyed since; the door is shut by then, and the relay opens it."""
    kafka = kafka_of(data, settings, made, progress) if settings.kafka_bootstrap is None and "kafka" in made else None
    if kafka is None and settings.kafka_bootstrap is None:
        return None, None
    try:
        if kafka is not None:
            kafka.wanted_port = 0
            kafka.start()
        bootstrap = settings.kafka_bootstrap or (kafka.bootstrap if kafka is not None else "")
        return asyncio.run(restore_ledger(dsn, bootstrap, settings.partitions, progress, master=master)), None
    except Hole as hole:
        return None, hole
    finally:
        if kafka is not None:
            kafka.stop()


async def _shut(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(SQL["shut"], BECAUSE)
    await connection.close()
