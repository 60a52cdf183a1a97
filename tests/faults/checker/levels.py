"""Every change of a level and every alert, as it was said, against what follows from the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tests.faults.checker.announcing import Said
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.recomputing import Levels

LEVEL, ALERT = "level.level_changed", "alert.issued"


class _FromRow(NamedTuple):
    time: str
    stream: str
    type: str
    home: str
    mode: str
    data: dict[str, Any]


def told_by(rows: Iterable[Row]) -> Iterator[_FromRow]:
    """What rows of the ledger tell, in order."""
    for row in rows:
        time = row.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        yield _FromRow(time, row.stream, row.type, row.home, row.wire["mode"], row.wire["data"])


def judge(folded: Sequence[Row], rows: Sequence[Row], found: Findings) -> None:
    """Every change of a level and every alert that follows from the log is in it once, and nothing else of the kind."""
    levels = Levels()
    for event in told_by(folded):
        levels.take(event)
    wanted: dict[str, list[Said]] = {}
    for said in levels.voice.said:
        wanted.setdefault(said.stream, []).append(said)
    told: dict[str, list[Row]] = {}
    for row in rows:
        if row.type in (LEVEL, ALERT):
            told.setdefault(row.stream, []).append(row)
    for stream in sorted(wanted.keys() | told.keys()):
        what = "level" if stream.startswith("level/") else "alert"
        own, theirs = wanted.get(stream, []), told.get(stream, [])
        for one, row in zip(own, theirs, strict=False):
            data = {name: value for name, value in row.wire["data"].items() if value is not None}
            differs = sorted(name for name in data.keys() | one.data.keys() if data.get(name) != one.data.get(name))
            as_said = (row.event_id, row.home, row.wire.get("engine"))
            if differs or as_said != (one.event_id, one.home, one.engine):
                sentence = f"{stream}: {data} is told, and computed anew it is {one.data} ({differs})."
                found.add(f"{what}_differs", sentence, row.position)
                break
        else:
            if len(own) > len(theirs):
                found.add(f"{what}_missing", f"{stream}: {own[len(theirs)].data} follows and is not told.")
            elif len(theirs) > len(own):
                row = theirs[len(own)]
                found.add(f"{what}_of_nothing", f"{stream}: {row.wire['data']} does not follow.", row.position)
