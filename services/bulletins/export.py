"""The whole history of alerts as files: nothing half-written, and no more than a page of it in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import orjson

from services.bulletins import table
from services.bulletins.cap import cap
from services.bulletins.features import Where, alert_feature
from services.bulletins.history import History
from services.bulletins.issuer import Issuer
from services.bulletins.shapes import Boundaries, polygons


async def export_cap(history: History, issuer: Issuer, boundaries: Boundaries, folder: Path) -> int:
    """A document for each alert, named by its position and id, so that their names are in order; how many there are."""
    count = 0
    async for page in history.all():
        for told in page:
            brought = boundaries.of(told.alert.unit, told.alert.codes)
            document = cap(told, await history.chain(told), issuer, polygons(brought))
            with _whole(folder / f"{told.position:019}-{told.alert_id}.xml") as file:
                file.write(document)
            count += 1
    return count


async def export_geojson(history: History, where: Where, folder: Path) -> int:
    """One collection of features."""
    with _whole(folder / "alerts.geojson") as file:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        count = 0
        async for page in history.all():
            for told in page:
                file.write((b",\n" if count else b"") + orjson.dumps(alert_feature(told, where)))
                count += 1
        file.write(b"\n]}\n")
    return count


async def export_csv(history: History, issuer: Issuer, folder: Path) -> int:
    """The table, and beside it the datapackage.json that says what its columns are."""
    count = 0
    with _whole(folder / table.PATH) as file:
        file.write(table.head())
        async for page in history.all():
            file.write(table.lines(page))
            count += len(page)
    with _whole(folder / "datapackage.json") as file:
        file.write(orjson.dumps(table.data_package(issuer), option=orjson.OPT_INDENT_2))
    return count


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
