"""`intabaza gazetteer check | adopt`: the day of a reform, what may not follow, and that nothing is adopted twice."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from events.places.gazetteer import Gazetteer
from services.gazetteer import read_gazetteer
from services.local.postgres import PostgresServer
from tests.contract.gazetteer.invented import FILES, changed, write
from tests.support.commands import Commands, on_database

REFUSED = 7


@pytest.fixture
async def commands(postgres: PostgresServer, fresh_database: str, tmp_path: Path) -> Commands:
    key = tmp_path / "master.key"
    key.write_text(secrets.token_urlsafe(32))
    key.chmod(0o600)
    environment = on_database(postgres, fresh_database) | {"INTABAZA_VAULT_MASTER_KEY_FILE": str(key)}
    commands = Commands(tmp_path, environment)
    status, said = await commands.run("begin", "--gazetteer", str(vela(tmp_path / "vela")), "--division", "d1")
    assert status == 0, said
    return commands


async def test_a_division_is_put_in_force_on_the_day_of_its_reform_and_once(
    commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    folder = str(commands.folder / "vela")
    before = await adopted(postgres.dsn(fresh_database))
    status, said = await commands.run("gazetteer", "adopt", folder, "--division", "d2", answers="n\n")
    assert status == 1
    assert "with the division d2 in force" in " ".join(said.split())
    assert await adopted(postgres.dsn(fresh_database)) == before, "who says no has adopted nothing"
    status, said = await commands.run("gazetteer", "adopt", folder, "--division", "d2", answers="y\n")
    assert status == 0, said
    first, second = await adopted(postgres.dsn(fresh_database))
    assert first["content"]["division_in_force"] == "d1"
    assert second["content"]["division_in_force"] == "d2"
    assert second["content"]["units"] == first["content"]["units"]
    status, said = await commands.run("gazetteer", "adopt", folder, "--division", "d2", "--yes")
    assert (status, "is in force already: nothing was changed" in said) == (0, True), said
    assert len(await adopted(postgres.dsn(fresh_database))) == 2


async def test_a_later_edition_keeps_the_names_of_homes(
    commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    later = vela(
        commands.folder / "later",
        units_csv=FILES["units.csv"] + "ve:c:aaa,commune,Aaa,,,,,,,,made-up\n",
        parents_csv=FILES["parents.csv"] + "d1,ve:c:aaa,ve:p:north,made-up\n",
        successions_csv=FILES["successions.csv"] + "d2,ve:c:aaa,ve:c2:abel,1000,,,low,made-up\n",
    )
    assert read_gazetteer(later).home_of("ve:c:aro") == "ve:c:aaa", "a new log would name it so"
    status, said = await commands.run("gazetteer", "adopt", str(later), "--yes")
    assert (status, "is in force from position" in said) == (0, True), said
    _, following = [Gazetteer.from_content(one["content"]) for one in await adopted(postgres.dsn(fresh_database))]
    assert following.home_of("ve:c:aaa") == following.home_of("ve:c:aro") == "ve:c:aro"


async def test_what_cannot_follow_is_refused_with_the_file_and_nothing_is_adopted(
    commands: Commands, postgres: PostgresServer, fresh_database: str
) -> None:
    before = await adopted(postgres.dsn(fresh_database))
    gone = vela(
        commands.folder / "gone", units_csv=changed("units.csv", "outside:xx,outside,Elsewhere,,,,,,,,made-up\n", "")
    )
    await commands.refused(REFUSED, "cannot be used: units.csv", "gazetteer", "adopt", str(gone), "--yes")
    folder = str(commands.folder / "vela")
    await commands.refused(REFUSED, "choose one of d1, d2.", "gazetteer", "adopt", folder, "--division", "d9", "--yes")
    await commands.refused(REFUSED, "gazetteer.toml", "gazetteer", "adopt", str(commands.folder / "no"), "--yes")
    assert await adopted(postgres.dsn(fresh_database)) == before


async def test_a_folder_is_checked_by_itself_and_a_beginning_names_its_divisions(commands: Commands) -> None:
    folder = str(commands.folder / "vela")
    status, said = await commands.run("gazetteer", "check", folder)
    assert (status, "is a gazetteer: Vela, edition 1" in said) == (0, True), said
    await commands.refused(REFUSED, "gazetteer.toml", "gazetteer", "check", str(commands.folder))
    await commands.refused(REFUSED, "choose one of d1, d2.", "begin", "--gazetteer", folder, "--division", "d9")


def vela(folder: Path, **changed: str) -> Path:
    folder.mkdir()
    return write(folder, **changed)


async def adopted(dsn: str) -> list[Mapping[str, Any]]:
    """The data of every gazetteer that was adopted, in order."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "select body from ledger.event where type = 'reference.gazetteer_adopted' order by position"
        )
        return [orjson.loads(row["body"])["data"] for row in rows]
    finally:
        await connection.close()
