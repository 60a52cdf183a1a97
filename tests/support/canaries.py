"""One unmistakable text per personal field, and a search for it in bytes, folders, tables and logs.

A history is told with `Canaries`; afterwards nothing may hold one, however it is spelt: UTF-8 or UTF-16, hexadecimal,
base64 at any offset, in upper or lower case, or, inside a block that a database or broker packed, only a part of it.
All texts of one history begin with the same tag, so that a search is for few spellings and reads fast.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import asyncpg
from pydantic import BaseModel

from events.catalogue import EVENTS
from events.sealed import Clear, Sealed

TAG_LETTERS = 16
OWN_LETTERS = 12
RUN = 8
"""PostgreSQL's packer keeps letters that are new to it, with a byte of its own between every eight."""

PIECE_BYTES = 4_000_000
OVERLAP_BYTES = 256


def personal_fields() -> tuple[str, ...]:
    """Every sealable field of every event in the catalogue, as `<type>.<wire name>`, and of the values inside them."""
    return tuple(f"{name}{path}" for name, event in EVENTS.items() for path in _sealable(event))


def _sealable(annotation: Any) -> Iterator[str]:
    if annotation is Clear:
        yield ""
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Sealed:
        for attribute, field in annotation.model_fields.items():
            wire_name = field.serialization_alias or field.alias or attribute
            yield from (f".{wire_name}{path}" for path in _sealable(field.annotation))
    else:
        for part in get_args(annotation):
            yield from _sealable(part)


@dataclass(frozen=True)
class Found:
    """A canary where it should not be."""

    canary: str
    where: str
    at: int


class Canaries:
    """The canaries of one history; another history's are others."""

    def __init__(self, history: UUID | None = None) -> None:
        self._history = history or uuid4()
        self._tag = self._letters("tag", TAG_LETTERS)
        self._texts: dict[str, str] = {}
        self._watched: dict[str, str] = {}

    def text(self, field: str) -> str:
        """A text of small letters for this field, always the same."""
        return self._texts.setdefault(field, self._tag + self._letters(field, OWN_LETTERS))

    def phone(self, person: str) -> str:
        """A number for this person, in a range that no country has."""
        digits = sha256(f"{self._history}/{person}".encode()).digest()[:8]
        return "+" + self._watched.setdefault(f"phone of {person}", f"999{int.from_bytes(digits) % 10**12:012}")

    def watch(self, name: str, text: str) -> None:
        """Search for another text too, such as a person's id or a phone's own form id: twelve characters or more."""
        assert len(text) >= 12, "so short a text is found by chance"
        self._watched[name] = text

    def in_bytes(self, data: bytes, where: str) -> list[Found]:
        """Find canaries in some bytes."""
        assert self._texts or self._watched, "no canary was given to any field: this search could not find anything"
        lowered, found = data.lower(), []
        for at in range(TAG_LETTERS - RUN + 1):
            found += [
                Found(self._named(data, place), where, place)
                for place in _places(data, self._tag[at : at + RUN].encode())
            ]
        for name, text in (("a text", self._tag), *self._watched.items()):
            for spelling in _spellings(text):
                found += [Found(name, where, place) for place in _places(lowered, spelling.lower())]
        return found

    def in_folder(self, folder: Path) -> list[Found]:
        """Search every file below a folder, in pieces that overlap; a file that vanishes meanwhile is passed over."""
        found: list[Found] = []
        for path in sorted(folder.rglob("*")):
            try:
                if path.is_file() and not path.is_symlink():
                    found += self._in_file(path)
            except FileNotFoundError:
                continue
        return found

    def _in_file(self, path: Path) -> Iterator[Found]:
        with path.open("rb") as file:
            start, kept = 0, b""
            while piece := file.read(PIECE_BYTES):
                for found in self.in_bytes(kept + piece, str(path)):
                    yield Found(found.canary, found.where, start - len(kept) + found.at)
                start += len(piece)
                kept = (kept + piece)[-OVERLAP_BYTES:]

    async def in_database(self, dsn: str, except_schemas: Collection[str] = ()) -> list[Found]:
        """Search every row of every table, as a superuser sees it, and the statements that the server shows."""
        connection = await asyncpg.connect(dsn)
        try:
            tables = await connection.fetch(
                "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
                " and n.nspname <> all ($1::text[]) order by 1, 2",
                list(except_schemas),
            )
            found: list[Found] = []
            for schema, name in tables:
                dump = _Dump()
                await connection.copy_from_table(name, schema_name=schema, output=dump.write)
                found += self.in_bytes(bytes(dump.data), f"{schema}.{name}")
            shown = await connection.fetch("select query from pg_stat_activity")
            found += self.in_bytes("\n".join(row["query"] or "" for row in shown).encode(), "pg_stat_activity")
            return found
        finally:
            await connection.close()

    def _letters(self, name: str, count: int) -> str:
        digest, letters = int.from_bytes(sha256(f"{self._history}/{name}".encode()).digest()), ""
        for _ in range(count):
            digest, letter = divmod(digest, 26)
            letters += chr(ord("a") + letter)
        return letters

    def _named(self, data: bytes, place: int) -> str:
        """The field of the text that begins about here; a part of one says only that it is one."""
        near = data[max(place - TAG_LETTERS, 0) : place + TAG_LETTERS + OWN_LETTERS]
        return next((field for field, text in self._texts.items() if text.encode() in near), "a text")


class _Dump:
    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, piece: bytes) -> None:
        self.data += piece


def _places(data: bytes, spelling: bytes) -> Iterator[int]:
    place = data.find(spelling)
    while place >= 0:
        yield place
        place = data.find(spelling, place + 1)


def _spellings(text: str) -> Iterator[bytes]:
    whole = text.encode()
    yield from (whole, text.encode("utf-16-le"), text.encode("utf-16-be"), whole.hex().encode())
    for before in range(3):
        # What base64 makes of the bytes whatever stands `before` and after them: the characters that are theirs alone.
        encoded = b64encode(bytes(before) + whole + bytes(2))
        inner = encoded[-(-before * 8 // 6) : (before + len(whole)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
    try:
        uuid = UUID(text)
    except ValueError:
        return
    yield from (uuid.bytes, uuid.hex.encode())
