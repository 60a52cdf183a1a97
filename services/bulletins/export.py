"""The whole history of alerts as files: nothing half-written, and no more than a page of it in memory.

Each form says `up_to` which hour it speaks: files are looked at when nobody can ask any more how old they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import orjson

from services.bulletins import table
from services.bulletins.cap import cap
from services.bulletins.features import Where, alert_feature
from services.bulletins.history import History
from services.bulletins.issuer import Issuer
from services.bulletins.shapes import Boundaries, polygons


class Exported(NamedTuple):
    """How many alerts were written, and the hour before which all that was told is among them; null before anything."""

    alerts: int
    up_to: str | None


async def export_cap(history: History, issuer: Issuer, boundaries: Boundaries, folder: Path) -> Exported:
    """A document for each alert, named by its number and id, so that their names are in order; and `export.json`."""
    up_to, count = await _up_to(history, issuer), 0
    async for page in history.all():
        for told in page:
            brought = boundaries.of(told.alert.unit, told.alert.codes)
            document = cap(told, await history.chain(told), issuer, polygons(brought))
            count += 1
            with _whole(folder / f"{count:07}-{told.alert_id}.xml") as file:
                file.write(document)
    exported = Exported(count, up_to)
    with _whole(folder / "export.json") as file:
        file.write(orjson.dumps(exported._asdict(), option=orjson.OPT_INDENT_2))
    return exported


async def export_geojson(history: History, issuer: Issuer, where: Where, folder: Path) -> Exported:
    """One collection of features."""
    up_to, count = await _up_to(history, issuer), 0
    with _whole(folder / "alerts.geojson") as file:
        file.write(b'{"type":"FeatureCollection","up_to":%s,"features":[\n' % orjson.dumps(up_to))
        async for page in history.all():
            for told in page:
                file.write((b",\n" if count else b"") + orjson.dumps(alert_feature(told, where)))
                count += 1
        file.write(b"\n]}\n")
    return Exported(count, up_to)


async def export_csv(history: History, issuer: Issuer, folder: Path) -> Exported:
    """The table, and beside it the datapackage.json that says what its columns are."""
    up_to, count = await _up_to(history, issuer), 0
    with _whole(folder / table.PATH) as file:
        file.write(table.head())
        async for page in history.all():
            file.write(table.lines(page))
            count += len(page)
    with _whole(folder / "datapackage.json") as file:
        file.write(orjson.dumps(table.data_package(issuer, up_to=up_to), option=orjson.OPT_INDENT_2))
    return Exported(count, up_to)


async def _up_to(history: History, issuer: Issuer) -> str | None:
    hour = await history.up_to()
    return None if hour is None else hour.astimezone(issuer.zone).isoformat()


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """A file that is there when it is whole; one that was there stays until then."""
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as written:
            yield written
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
