"""The command line in this process, on a database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from typer.testing import CliRunner

from services.cli.app import app
from services.local.postgres import PostgresServer
from services.local_problem import LocalProblem

ROLES = {"POSTGRES": "postgres"} | {
    one.upper(): f"intabaza_{one}" for one in ("app", "vault", "projector", "notifier", "notary")
}
NOWHERE = "127.0.0.1:1"


def on_database(postgres: PostgresServer, database: str) -> dict[str, str]:
    """The environment of commands that find a database, and no Kafka."""
    dsns = {f"INTABAZA_{name}_DSN": postgres.dsn(database, role) for name, role in ROLES.items()}
    return dsns | {"INTABAZA_KAFKA_BOOTSTRAP": NOWHERE}


@dataclass(frozen=True)
class Commands:
    """Commands in a folder; each begins with the words in `group`."""

    folder: Path
    environment: Mapping[str, str]
    group: tuple[str, ...] = ()

    async def run(self, *arguments: str, answers: str | None = None) -> tuple[int, str]:
        """The exit status of one, and what it says; `answers` is what is typed where it asks."""
        words = [*self.group, *arguments]
        work = partial(CliRunner().invoke, app, words, env=self.environment, input=answers)
        done = await asyncio.to_thread(work)
        if isinstance(done.exception, LocalProblem):  # whose sentence the whole command line prints
            return done.exception.status, str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    async def refused(self, status: int, said: str, *arguments: str) -> None:
        """It ends with this status and sentence."""
        ended, sentence = await self.run(*arguments)
        assert ended == status, sentence
        assert said in " ".join(sentence.split()), sentence
