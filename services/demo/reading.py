"""Reading a scenario from its file and what it names; whatever is wrong is told by file, line and key, all at once."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from events.places.faults import NoSuchDivision
from events.places.gazetteer import Gazetteer
from projections.rule_set import no_toml
from services.demo.scenario import Entry, Head, Scenario
from services.gazetteer import GazetteerUnreadable, read_gazetteer
from services.local_problem import LocalProblem

MOST_TOLD = 30


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    file: Path
    line: int | None
    key: str
    expected: str
    mend: str

    def __str__(self) -> str:
        where = [
            str(self.file),
            *([f"line {self.line}"] if self.line else []),
            *([f"key {self.key}"] if self.key else []),
        ]
        sentence = f"{', '.join(where)}: expected {self.expected}; {self.mend}"
        return "".join(letter if letter.isprintable() else "?" for letter in sentence)


class ScenarioFaulty(LocalProblem):
    """A scenario cannot be played; its message has one line a fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        told = [str(fault) for fault in faults[:MOST_TOLD]]
        if len(faults) > MOST_TOLD:
            told.append(f"and {len(faults) - MOST_TOLD} more")
        super().__init__("\n".join(["The scenario cannot be played:", *told]))


@dataclass(slots=True)
class _Reading:
    faults: list[Fault] = field(default_factory=list)

    def text(self, file: Path, named_in: Path, line: int | None, key: str) -> str:
        """A file's text; the fault is where it is named."""
        try:
            return file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.faults.append(
                Fault(file, error.object[: error.start].count(b"\n") + 1, "", "UTF-8", "save it as UTF-8")
            )
        except OSError as error:
            expected = f"a file that can be read, and {file} cannot ({error.strerror})"
            self.faults.append(Fault(named_in, line, key, expected, "correct the name, or put the file there"))
        raise ScenarioFaulty(self.faults)


def read_scenario(path: Path) -> Scenario:
    """Read a scenario's file, or the `scenario.toml` of a folder; raises ScenarioFaulty with every fault."""
    file = path / "scenario.toml" if path.is_dir() else path
    reading = _Reading()
    tables, lines = _tables(reading, file)
    head = _head(reading, tables, lines, file)
    where = {name: _beside(tables, name, lines, file) for name in ("entries", "gazetteer", "rules")}
    try:
        gazetteer = read_gazetteer(where["gazetteer"])
        if head.division is not None:
            gazetteer = gazetteer.with_division_in_force(head.division)
    except GazetteerUnreadable as error:
        raise ScenarioFaulty(
            [Fault(file, *_at(lines, ["gazetteer"]), "a gazetteer that can be read", str(error))]
        ) from None
    except NoSuchDivision:
        known = ", ".join(one.division for one in gazetteer.divisions)
        raise ScenarioFaulty(
            [Fault(file, *_at(lines, ["division"]), f"a division of the gazetteer: {known}", "choose one of these")]
        ) from None
    rules = reading.text(where["rules"], file, *_at(lines, ["rules"]))
    text = reading.text(where["entries"], file, *_at(lines, ["entries"]))
    entries = tuple(_entries(reading, where["entries"], text, head, gazetteer))
    if reading.faults:
        raise ScenarioFaulty(reading.faults)
    return Scenario(file, head, entries, gazetteer, rules)


Lines = Mapping[tuple[str, ...], tuple[Path, int]]
"""In which file and line each key stands."""


def _tables(reading: _Reading, file: Path) -> tuple[dict[str, Any], Lines]:
    """A file's tables over those of the file that it extends, which itself extends none."""
    text = reading.text(file, file, None, "")
    tables, lines = _parsed(file, text)
    if (extends := tables.pop("extends", None)) is None:
        return tables, lines
    if not isinstance(extends, str):
        raise ScenarioFaulty([Fault(file, *_at(lines, ["extends"]), "the name of a file", "write it in quotes")])
    other = (file.parent / extends).resolve()
    below, below_lines = _parsed(other, reading.text(other, file, *_at(lines, ["extends"])))
    if "extends" in below:
        raise ScenarioFaulty(
            [Fault(file, *_at(lines, ["extends"]), "a scenario that extends none itself", "extend that one")]
        )
    return below | tables, {**below_lines, **lines}


def _parsed(file: Path, text: str) -> tuple[dict[str, Any], Lines]:
    try:
        return tomllib.loads(text), {key: (file, line) for line, key in _keys(text)}
    except (ValueError, RecursionError) as error:
        fault = no_toml(error)
        raise ScenarioFaulty([Fault(file, fault.line, "", fault.expected, fault.mend)]) from None


def _head(reading: _Reading, tables: Mapping[str, Any], lines: Lines, file: Path) -> Head:
    try:
        return Head.model_validate(tables)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            path, expected, mend = _told(detail)
            of, line = _where(lines, path, file)
            reading.faults.append(Fault(of, line, ".".join(path), expected, mend))
        raise ScenarioFaulty(reading.faults) from None


def _told(detail: Any) -> tuple[list[str], str, str]:
    path = [str(part) for part in detail["loc"] if part != "[key]"]
    match detail["type"]:
        case "missing":
            return path, "this key", "add it"
        case "extra_forbidden":
            return path, "no such key here", "correct its spelling, or remove it"
        case "value_error":
            key, sign, rest = str(detail["ctx"]["error"]).partition("|")
            expected, _, mend = (rest if sign else key).partition("; ")
            return [*path, *([key] if sign else [])], expected, mend or "correct it"
        case _:
            said = str(detail["msg"]).removeprefix("Input should be ")
            return path, said[:1].lower() + said[1:], "correct it"


def _where(lines: Lines, path: Sequence[str], file: Path) -> tuple[Path, int | None]:
    """The file and line of a key or table, or of the nearest one above it."""
    for length in range(len(path), 0, -1):
        for key, found in lines.items():
            if key[:length] == tuple(path[:length]):
                return found
    return file, None


def _at(lines: Lines, path: Sequence[str]) -> tuple[int | None, str]:
    found = lines.get(tuple(path))
    return found[1] if found else None, ".".join(path)


def _beside(tables: Mapping[str, Any], name: str, lines: Lines, file: Path) -> Path:
    """A file that is named relative to the one that names it."""
    of = lines[(name,)][0] if (name,) in lines else file
    return (of.parent / str(tables[name])).resolve()


_TABLE = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every key of a text that is written plainly, each table of an array under its number."""
    table: tuple[str, ...] = ()
    many: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.match(line):
            table = tuple(found[2].split("."))
            if found[1] == "[[":
                table = (*table, str(many.get(found[2], 0)))
                many[found[2]] = many.get(found[2], 0) + 1
            yield number, table
        elif found := _KEY.match(line):
            yield number, (*table, found[1])


def _entries(reading: _Reading, file: Path, text: str, head: Head, gazetteer: Gazetteer) -> Iterator[Entry]:
    """The entries of the scenario's days; every row is checked."""
    known: dict[str, Entry] = {}
    for line, cells in _rows(reading, file, text):
        try:
            entry = Entry.model_validate({name: cell for name, cell in cells.items() if cell != ""})
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                path, expected, mend = _told(detail)
                reading.faults.append(Fault(file, line, path[0] if path else "", expected, mend))
            continue
        for key, expected, mend in _misfits(entry, known, gazetteer):
            reading.faults.append(Fault(file, line, key, expected, mend))
        known[entry.entry] = entry
        if head.begins <= entry.starts and entry.last_day <= head.ends:
            yield (
                entry if entry.answers in known and known[entry.answers].starts >= head.begins else _unanswering(entry)
            )


def _unanswering(entry: Entry) -> Entry:
    return entry.model_copy(update={"answers": None, "answer": None})


def _misfits(entry: Entry, known: Mapping[str, Entry], gazetteer: Gazetteer) -> Iterator[tuple[str, str, str]]:
    if entry.entry in known:
        yield "entry", "each entry once", "give it another number"
    if entry.unit not in gazetteer.units:
        yield "unit", "a unit of the gazetteer", "look the place up in its units.csv"
    elif not gazetteer.is_in_force(entry.unit):
        yield "unit", "a unit of the division that is in force", "choose its commune of those days"
    if known and entry.starts < list(known.values())[-1].starts:
        yield "from", "a day not before that of the line above", "put the entries in order of their days"
    if entry.answers is not None and entry.answers not in known:
        yield "answers", "an earlier entry", "name one that stands above"


def _rows(reading: _Reading, file: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = [about.alias or name for name, about in Entry.model_fields.items()]
    begins = 1
    try:
        header = next(reader, [])
        if header != columns:
            reading.faults.append(Fault(file, 1, "", f"the columns {','.join(columns)}", "write them in this order"))
            return
        begins = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(columns):
                yield begins, dict(zip(columns, cells, strict=True))
            elif cells:
                expected = f"{len(columns)} cells, but it has {len(cells)}"
                reading.faults.append(Fault(file, begins, "", expected, "compare it with line 1"))
            begins = reader.line_num + 1
    except csv.Error as error:
        reading.faults.append(
            Fault(file, begins, "", "CSV with commas and double quotes", f"correct the line: {error}")
        )
