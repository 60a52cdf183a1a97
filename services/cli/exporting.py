"""Rows of a projection in a file that others read: CSV; JSON or Parquet, which say themselves up to where they are."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol
from uuid import UUID

import orjson

from events.vocabulary import wire_time
from services.local.folder import DISK
from services.local_problem import LocalProblem
from services.moments import Moment

if TYPE_CHECKING:
    from services.processors.replay import Column

CSV, JSON, PARQUET = FORMS = (".csv", ".json", ".parquet")


class ExportRefused(LocalProblem):
    """The file cannot be what was asked for."""

    status = 2


class Export(Protocol):
    """Writes one projection after the other."""

    async def add(self, name: str, columns: Sequence[Column], rows: AsyncIterator[Sequence[Any]]) -> int:
        """Write all rows of a projection; returns how many."""
        ...


def refuse_export(file: Path, projections: int) -> None:
    """Raises ExportRefused for a file that could not be written, before anything is folded for it."""
    if file.suffix.lower() not in FORMS:
        raise ExportRefused(
            f"--export {file}: expected a file whose name ends with {', '.join(FORMS[:-1])} or {FORMS[-1]}; rename it."
        )
    if file.suffix.lower() != JSON and projections != 1:
        raise ExportRefused(
            f"--export {file}: a {file.suffix[1:].upper()} file holds one projection; name one, or export to {JSON}."
        )
    if not file.absolute().parent.is_dir():
        raise ExportRefused(
            f"--export {file}: there is no folder {file.absolute().parent}; make it, or choose another."
        )


@contextmanager
def exporting(file: Path, moment: Moment) -> Iterator[Export]:
    """A file that is there when all of it is, and not before; raises LocalProblem where it cannot be written.

    What reading the rows raises is raised, also where it is an OSError.
    """
    draft = file.with_name(f"{file.name}.part")
    try:
        with _begun(draft, file) as raw:
            if file.suffix.lower() == PARQUET:
                from services.cli.parquet import Parquet  # it brings a library that nothing else needs

                yield Parquet(raw, moment)
            else:
                with io.TextIOWrapper(raw, encoding="utf-8", newline="") as out:
                    if file.suffix.lower() == CSV:
                        yield _Csv(out, moment)
                    else:
                        whole = _Json(out, moment)
                        yield whole
                        whole.end()
        _named(draft, file)
    except OSError as error:
        if error.errno not in DISK:
            raise
        raise _unwritten(file, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _begun(draft: Path, file: Path) -> IO[bytes]:
    try:
        return draft.open("wb")
    except OSError as error:
        raise _unwritten(file, error) from error


def _named(draft: Path, file: Path) -> None:
    try:
        draft.replace(file)
    except OSError as error:
        raise _unwritten(file, error) from error


def _unwritten(file: Path, error: OSError) -> LocalProblem:
    return LocalProblem(f"{file} cannot be written ({error.strerror}): choose another place.")


class _Csv:
    def __init__(self, out: IO[str], moment: Moment) -> None:
        self._writer = csv.writer(out, lineterminator="\r\n")
        self._moment = moment

    async def add(self, name: str, columns: Sequence[Column], rows: AsyncIterator[Sequence[Any]]) -> int:
        self._writer.writerow(["as_of_position", *(one.name for one in columns)])
        count = 0
        async for row in rows:
            self._writer.writerow([self._moment.position, *(shown(value) for value in row)])
            count += 1
        return count


class _Json:
    def __init__(self, out: IO[str], moment: Moment) -> None:
        self._out, self._between = out, ""
        at = wire_time(moment.recorded_at)
        out.write(f'{{"as_of_position": {moment.position}, "as_of_recorded_at": "{at}", "projections": {{')

    async def add(self, name: str, columns: Sequence[Column], rows: AsyncIterator[Sequence[Any]]) -> int:
        self._out.write(f'{self._between}\n"{name}": [')
        count = 0
        async for row in rows:
            known = {column.name: _plain(value) for column, value in zip(columns, row, strict=True)}
            self._out.write((",\n" if count else "\n") + orjson.dumps(known).decode())
            count += 1
        self._out.write("]")
        self._between = ","
        return count

    def end(self) -> None:
        self._out.write("}}\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return wire_time(value)
    return str(value) if isinstance(value, UUID) else value


def shown(value: Any) -> str:
    """A cell: what spreadsheets read alike."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_plain(value))
