"""Reads a gazetteer's folder (deploy/gazetteer/README.md says the format) and tells each fault by file and line."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from events.places.facts import Alias, Division, Earlier, Facts, Parent, Row, Succession, Unit
from events.places.faults import Fault, GazetteerFaulty, Keeping, misread, misread_field
from events.places.gazetteer import Gazetteer
from projections.rule_set import no_toml

HEAD = "gazetteer.toml"
_TABLES: tuple[type[Row], ...] = (Unit, Parent, Alias, Succession, Earlier)
_MAY_BE_ABSENT = frozenset({Alias.table, Succession.table, Earlier.table})
_HEAD_KEYS = frozenset({"gazetteer_id", "name", "edition", "divisions", "sources", "division_in_force"})
_MOST_TOLD = 50


@dataclass(frozen=True, slots=True)
class LocatedFault:
    """A fault with the file and line it stands in; a line is missing where a whole file is meant."""

    file: str
    line: int | None
    fault: Fault

    def __str__(self) -> str:
        place = [self.file]
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.file == HEAD and (key := self.fault.column or self.fault.table):
            place.append(f"key {key}")
        elif self.fault.column:
            place.append(f"column {self.fault.column}")
        sentence = f"{', '.join(place)}: expected {self.fault.expected}; {self.fault.mend}"
        return "".join(character if character.isprintable() else "?" for character in sentence)


class GazetteerUnreadable(Exception):
    """A gazetteer's files are faulty; nothing was adopted. Its message has one line a fault."""

    def __init__(self, folder: Path, faults: tuple[LocatedFault, ...]) -> None:
        self.faults = faults
        told = [str(fault) for fault in faults[:_MOST_TOLD]]
        if len(faults) > _MOST_TOLD:
            told.append(f"and {len(faults) - _MOST_TOLD} more")
        super().__init__("\n".join([f"The gazetteer in {folder} cannot be used:", *told]))


@dataclass
class _Folder:
    """What was read so far, the line of each row, and the faults met on the way."""

    path: Path
    lines: dict[str, list[int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    broken: list[LocatedFault] = field(default_factory=list)

    def located(self, fault: Fault) -> LocatedFault:
        file = HEAD if fault.table in (*_HEAD_KEYS, "") else f"{fault.table}.csv"
        lines = self.lines.get(fault.table, [])
        known = fault.row is not None and fault.row < len(lines)
        return LocatedFault(file, lines[fault.row] if known and fault.row is not None else None, fault)

    def breaks(self, file: str, line: int | None, column: str, expected: str, mend: str) -> None:
        self.broken.append(LocatedFault(file, line, Fault("unreadable", "", None, column, expected, mend)))


def read_gazetteer(path: Path, keeping: Keeping | None = None) -> Gazetteer:
    """Read and check a folder; `keeping` is `to_keep` of the gazetteer in force. Raises GazetteerUnreadable.

    To follow one in force, use `read_following`, which also keeps the names of its homes.
    """
    return _read(path, keeping, ())


def read_following(path: Path, in_force: Gazetteer) -> Gazetteer:
    """Read the gazetteer that is to follow the one in force, its homes kept. Raises GazetteerUnreadable."""
    return _read(path, in_force.to_keep, in_force.facts.homes)


def _read(path: Path, keeping: Keeping | None, homes: tuple[str, ...]) -> Gazetteer:
    folder = _Folder(path)
    content = _head(folder)
    for row_type in _TABLES:
        content[row_type.table] = list(_table(folder, row_type))
    if folder.broken or folder.faults:
        raise GazetteerUnreadable(path, (*folder.broken, *(folder.located(fault) for fault in folder.faults)))
    try:
        facts = Facts.model_validate({**content, "homes": homes})
        return Gazetteer(facts, keeping=keeping)
    except ValidationError as error:
        raise GazetteerUnreadable(path, tuple(folder.located(fault) for fault in misread(error))) from None
    except GazetteerFaulty as error:
        raise GazetteerUnreadable(path, tuple(folder.located(fault) for fault in error.faults)) from None


def _head(folder: _Folder) -> dict[str, Any]:
    text = _text(folder, HEAD, "the head of the gazetteer: its id, name, edition, divisions and sources")
    if text is None:
        return {}
    try:
        head = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        fault = no_toml(error)
        folder.breaks(HEAD, fault.line, "", fault.expected, fault.mend)
        return {}
    folder.lines[Division.table] = [
        number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*divisions\s*\]\]", line)
    ]
    for key in sorted(head.keys() - _HEAD_KEYS):
        folder.breaks(HEAD, None, key, f"only {', '.join(sorted(_HEAD_KEYS))}", "remove it or correct its name")
    for row, division in enumerate(head["divisions"] if isinstance(head.get("divisions"), list) else []):
        unknown = division.keys() - Division.model_fields.keys() if isinstance(division, dict) else set()
        for key in sorted(unknown):
            expected = f"only {', '.join(Division.model_fields)}"
            folder.faults.append(
                Fault("unknown_column", Division.table, row, key, expected, "remove it or correct its name")
            )
    return head


def _table(folder: _Folder, row_type: type[Row]) -> Iterator[Row]:
    """Yield the readable rows of a table and note the others, so that one reading tells all of them."""
    name = f"{row_type.table}.csv"
    if row_type.table in _MAY_BE_ABSENT and not (folder.path / name).exists():
        return
    text = _text(folder, name, f"a table with the columns {', '.join(_columns(row_type))}")
    if text is None:
        return
    lines = folder.lines.setdefault(row_type.table, [])
    for line, cells in _cells(folder, name, text, row_type):
        try:
            yield row_type.model_validate(cells)
            lines.append(line)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                fault = misread_field(row_type.table, None, detail["loc"], detail)
                folder.broken.append(LocatedFault(name, line, fault))


def _cells(folder: _Folder, name: str, text: str, row_type: type[Row]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        header = next(reader, [])
        if not _header_is_right(folder, name, header, row_type):
            return
        begins = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                yield begins, {column: cell for column, cell in zip(header, cells, strict=True) if cell != ""}
            elif cells:
                folder.breaks(name, begins, "", f"{len(header)} cells, but it has {len(cells)}", "compare with line 1")
            begins = reader.line_num + 1
    except csv.Error as error:
        folder.breaks(name, begins, "", "CSV with commas and double quotes", f"correct the line: {error}")


def _header_is_right(folder: _Folder, name: str, header: list[str], row_type: type[Row]) -> bool:
    known = row_type.model_fields
    needed = {column for column, about in known.items() if about.is_required()}
    faulty = [
        *((column, "a known column", "remove it or correct its name") for column in header if column not in known),
        *((column, "this column", "add it to line 1") for column in sorted(needed - set(header))),
        *((column, "each column once", "remove one") for column in sorted(set(header)) if header.count(column) > 1),
    ]
    for column, expected, mend in faulty:
        folder.breaks(
            name, 1, column[:40] or "(blank)", f"{expected}; columns are {', '.join(_columns(row_type))}", mend
        )
    return not faulty


def _columns(row_type: type[Row]) -> list[str]:
    """Return the columns of a table with `sources`, which every table has, at the end."""
    return [*(column for column in row_type.model_fields if column != "sources"), "sources"]


def _text(folder: _Folder, name: str, what: str) -> str | None:
    try:
        return (folder.path / name).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].count(b"\n")
        folder.breaks(name, before + 1, "", "UTF-8", "save the file as UTF-8")
    except OSError as error:
        folder.breaks(name, None, "", what, f"add the file, or make it readable ({error.strerror})")
    return None
