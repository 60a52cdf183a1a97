"""Evidence packs as an operator takes them and an auditor reads them, and what is sealed in the events of a stack."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from events.sealed import KeyKind, Sealed
from services.notary.tree import Tree
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from services.vault.sealing import open_text
from tests.support.checkpoints import checkpoint, wires_of
from tests.support.history import Story
from tests.support.signed_ledgers import KEY, bring_to_its_end
from tests.support.signed_logs import write_zip
from tests.support.stack import Stack


def take(stack: Stack, case_id: str, file: Path, *how: str) -> subprocess.CompletedProcess[str]:
    return stack.command("evidence", case_id, str(file), "--person", "auditor", *how)


def verified(pack: Path, *how: str) -> tuple[int, str]:
    """What the file in the pack says of it, run as an auditor runs it."""
    return by_script(contents(pack)["verify.py"], pack, *how)


def by_script(program: bytes, pack: Path, *how: str) -> tuple[int, str]:
    script = pack.with_suffix(".py")
    script.write_bytes(program)
    run = subprocess.run([sys.executable, "-I", script, pack, *how], capture_output=True, text=True, check=False)
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, run.stdout


async def sign(stack: Stack, story: Story) -> str:
    """Sign all that is recorded; the checkpoint. The tree comes after it, since the clock ticks on meanwhile."""
    ledger = story.network.desk.ledger
    signed = await checkpoint(ledger, KEY)
    async with asyncpg.create_pool(stack.addresses.owner_dsn, min_size=1, max_size=1) as pool:
        await bring_to_its_end(Tree(pool), ledger)
    return signed


def contents(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def made_anew(files: dict[str, bytes], path: Path, **stated: object) -> Path:
    """A pack of these files whose manifest was made anew, by somebody who hopes that nobody looks."""
    said = json.loads(files["manifest.json"]) | stated
    said["files"] = {name: sha256(one).hexdigest() for name, one in files.items() if name != "manifest.json"}
    return write_zip(path, files | {"manifest.json": json.dumps(said).encode()})


@dataclass(frozen=True)
class Said:
    """A sealed text of one event, opened with the keys themselves."""

    stream: str
    version: int
    field: str
    text: str
    kind: KeyKind
    key_id: UUID


async def everything_said(stack: Stack, story: Story) -> list[Said]:
    """Every sealed text of the ledger that opens, past everything that decides who may."""
    said = []
    async with asyncpg.create_pool(stack.addresses.vault_dsn, min_size=1, max_size=1) as pool:
        keys = KeyRing(pool, MasterKey.read(stack.settings.master_key_file))
        living = {row["key_id"] for row in await pool.fetch("select key_id from vault.key where wrapped is not null")}
        for wire in await wires_of(story.network.desk.ledger):
            event = json.loads(wire)
            for path, one in sealed_in(event["data"], ""):
                if one.key_id in living:
                    key = (await keys.open_keys([one.key_id]))[one.key_id]
                    text = open_text(one, key, event["subject"], event["streamversion"], path)
                    said.append(Said(event["subject"], event["streamversion"], path, text, key.kind, key.key_id))
    return said


async def destroy_keys(stack: Stack, key_ids: set[UUID]) -> None:
    """Erase for ever what is sealed under these keys, which the log says."""
    async with asyncpg.create_pool(stack.addresses.vault_dsn, min_size=1, max_size=1) as pool:
        await KeyRing(pool, MasterKey.read(stack.settings.master_key_file)).destroy(key_ids)


def sealed_in(value: Any, path: str) -> Iterator[tuple[str, Sealed]]:
    """Every sealed text in the data of an event, with its path."""
    parts: Mapping[str, Any] = {}
    if isinstance(value, dict):
        if "kid" in value:
            yield path, Sealed.model_validate(value)
            return
        parts = value
    elif isinstance(value, list):
        parts = {str(place): one for place, one in enumerate(value)}
    for name, part in parts.items():
        yield from sealed_in(part, f"{path}.{name}" if path else name)
