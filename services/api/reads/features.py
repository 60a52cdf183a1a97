"""Alerts and told levels for maps: OGC API Features 1.0 (core, GeoJSON), in longitude and latitude.

Levels here are what the last alert of each unit tells, to everybody the same: nobody sees more than an alert told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

from events.alert import Code
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.bulletins import alert_in_the_address, history, place_of
from services.api.reads.shown import UNIT, unit_in_the_address
from services.bulletins import features
from services.bulletins.features import CONFORMS_TO, Link, alert_feature, collection, level_feature
from services.bulletins.history import Days
from services.bulletins.shapes import CRS84, box_of, boxes, meets, where_in
from services.bulletins.told import Told

MOST_FEATURES = 1_000
BBOX = Parameter(
    "bbox",
    "Only units that have a place in common with this box: west, south, east, north, in degrees. What has no place is "
    "left out then.",
    {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
    listed=True,
)
DATETIME = Parameter(
    "datetime",
    "Only alerts of this day, or of the days of an interval: 2015-05-13, 2015-05-01/2015-05-31, 2015-05-13/.. or a "
    "moment with its offset, which means its day.",
)
LIMIT = Parameter(
    "limit",
    f"How many features, {MOST_FEATURES} at most.",
    {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 50},
)
CURSOR = Parameter("cursor", "Where a page begins: as the link `next` of the page before says.")

TITLES = {
    "alerts": ("Alerts", "Every alert that strangers were told, the oldest first."),
    "levels": ("Told levels", "The communes in force, each with the level that its last alert tells, if it warns."),
}


async def landing(asked: Asked) -> Reply:
    """Where maps begin: what is here, as OGC API Features has it."""
    links = [
        _link(asked, "/v1", "self", "application/json"),
        _link(asked, "/openapi.json", "service-desc", "application/vnd.oai.openapi+json;version=3.1"),
        _link(asked, "/v1/conformance", "conformance", "application/json"),
        _link(asked, "/v1/collections", "data", "application/json"),
    ]
    return Reply({"title": "Alerts for maps", "description": "OGC API Features: core and GeoJSON.", "links": links})


async def conformance(asked: Asked) -> Reply:
    """What of OGC API Features is kept."""
    return Reply({"conformsTo": list(CONFORMS_TO)})


async def feature_collections(asked: Asked) -> Reply:
    """The collections of features that there are."""
    links = [_link(asked, "/v1/collections", "self", "application/json")]
    return Reply({"links": links, "collections": [_collection(asked, name) for name in TITLES]})


async def alerts_collection(asked: Asked) -> Reply:
    """The collection of alerts."""
    return Reply(_collection(asked, "alerts"))


async def levels_collection(asked: Asked) -> Reply:
    """The collection of told levels."""
    return Reply(_collection(asked, "levels"))


async def alert_features(asked: Asked) -> Reply:
    """Alerts as GeoJSON, the oldest first: boundaries where a deployment brings some, else centroids.

    Filters: `bbox`, `datetime`, and `unit` with all that lies in it.
    """
    (after,) = asked.cursor(UUID)
    units, most = _units(asked), _limit(asked)
    streams = None if units is None else [f"alert/{unit}" for unit in units]
    every = history(asked)
    told = await every.after(await place_of(every, after) or 0, most + 1, streams, _days(asked))
    shown = told[:most]
    page = [alert_feature(one, _where(asked)) for one in shown]
    return Reply(collection(page, _pages(asked, [shown[-1].alert_id] if len(told) > most else None)))


async def alert_feature_of(asked: Asked) -> Reply:
    """One alert as a feature."""
    told = await alert_in_the_address(asked, history(asked))
    path = f"/v1/collections/alerts/items/{told.alert_id}"
    document = f"/v1/alerts/{told.alert_id}/cap"
    links = [
        _link(asked, path, "self", features.MEDIA_TYPE),
        _link(asked, "/v1/collections/alerts", "collection", "application/json"),
        _link(asked, document, "alternate", "application/cap+xml"),
    ]
    return Reply(alert_feature(told, _where(asked)) | {"links": links})


async def level_features(asked: Asked) -> Reply:
    """The communes in force, and other units of which an alert warns, each with the level that was told last.

    Where nothing warns the level is null, whether it is calm, watched or never heard of: nobody is told which.
    """
    (after,) = asked.cursor(str)
    most, wanted = _limit(asked), _units(asked)
    latest = await history(asked).latest(asked.country.gazetteer.units if wanted is None else wanted)
    units = {*asked.country.communes, *(unit for unit, told in latest.items() if told.stands)}
    found = [unit for unit in sorted(units if wanted is None else units & wanted) if after is None or unit > after]
    page = [_level(asked, unit, latest.get(unit)) for unit in found[:most]]
    return Reply(collection(page, _pages(asked, [found[most - 1]] if len(found) > most else None)))


async def level_feature_of(asked: Asked) -> Reply:
    """One unit as a feature, with the level that was told last."""
    unit = unit_in_the_address(asked)
    latest = await history(asked).latest([unit])
    links = [
        _link(asked, f"/v1/collections/levels/items/{unit}", "self", features.MEDIA_TYPE),
        _link(asked, "/v1/collections/levels", "collection", "application/json"),
    ]
    return Reply(_level(asked, unit, latest.get(unit)) | {"links": links})


def _level(asked: Asked, unit: str, last: Told | None) -> dict[str, Any]:
    coded = asked.country.coded(unit)
    codes = [Code.model_validate(one) for one in coded["codes"]]
    name = coded["unit_name"] or (None if last is None else last.alert.unit_name)
    return level_feature(unit, name, codes, last, _where(asked))


def _where(asked: Asked) -> features.Where:
    return where_in(asked.country.gazetteer, asked.office.boundaries)


def _units(asked: Asked) -> set[str] | None:
    """The units that are asked for, by themselves and by their place; None is all."""
    named = asked.units()
    wanted = None if named is None else {*named}
    if (text := asked.one("bbox")) is None:
        return wanted
    try:
        asked_for = boxes([float(part) for part in text.split(",")])
    except ValueError:
        expected = "west,south,east,north in degrees, like 28.9,-4.5,30.9,-2.3"
        raise Refused(BAD_PARAMETER, f"bbox: expected {expected}; correct it.") from None
    placed = asked.country.placed(asked.office.boundaries)
    found = {unit for unit, shape in placed.items() if any(meets(shape, box) for box in asked_for)}
    return found if wanted is None else found & wanted


def _limit(asked: Asked) -> int:
    """More than there can be is as many as there can be, as the standard asks; raises Refused."""
    text = asked.one("limit") or "50"
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise Refused(BAD_PARAMETER, f"limit: expected a number from 1, {MOST_FEATURES} at most; correct it.")
    return min(int(text[:9]), MOST_FEATURES)


def _days(asked: Asked) -> Days:
    text = asked.one("datetime")
    if text is None:
        return Days()
    ends = text.split("/")
    try:
        days = [_day(end, asked.office.issuer.zone) for end in ends]
        if len(days) == 1 and days[0] is not None:
            return Days(days[0], days[0])
        first, last = days
    except (ValueError, OverflowError):
        expected = "a day, a moment with its offset, or two with a / between, .. for an open end"
        raise Refused(BAD_PARAMETER, f"datetime: expected {expected}; correct it.") from None
    return Days(first, last)


def _day(text: str, zone: tzinfo) -> date | None:
    if text in ("", ".."):
        return None
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(zone).date()


def _collection(asked: Asked, name: str) -> dict[str, Any]:
    title, description = TITLES[name]
    box = box_of(asked.country.placed(asked.office.boundaries).values())
    extent: dict[str, Any] = {"temporal": {"interval": [[None, None]]}}
    if box is not None:
        extent["spatial"] = {"bbox": [list(box)], "crs": CRS84}
    path = f"/v1/collections/{name}"
    links = [
        _link(asked, path, "self", "application/json"),
        _link(asked, f"{path}/items", "items", features.MEDIA_TYPE),
    ]
    said = {"id": name, "title": title, "description": description, "itemType": "feature"}
    return said | {"crs": [CRS84], "extent": extent, "links": links}


def _pages(asked: Asked, after: Sequence[Any] | None) -> list[Link]:
    links: list[Link] = [_link(asked, asked.this_page(), "self", features.MEDIA_TYPE)]
    if after is not None:
        links.append(_link(asked, asked.next_page(after), "next", features.MEDIA_TYPE))
    return links


def _link(asked: Asked, path: str, relation: str, media_type: str) -> dict[str, str]:
    """Programs for maps want whole addresses: the public one, else the one under which we were asked."""
    address = asked.office.issuer.at(path) or str(asked.request.base_url).rstrip("/") + path
    return {"href": address, "rel": relation, "type": media_type}


_ITEMS = (UNIT, BBOX, LIMIT, CURSOR)
READS = (
    Read("/v1", "read.alerts", landing),
    Read("/v1/conformance", "read.alerts", conformance),
    Read("/v1/collections", "read.alerts", feature_collections),
    Read("/v1/collections/alerts", "read.alerts", alerts_collection),
    Read("/v1/collections/levels", "read.alerts", levels_collection),
    Read(
        "/v1/collections/alerts/items", "read.alerts", alert_features, (DATETIME, *_ITEMS),
        media_type=features.MEDIA_TYPE,
    ),
    Read("/v1/collections/levels/items", "read.alerts", level_features, _ITEMS, media_type=features.MEDIA_TYPE),
    Read(
        "/v1/collections/alerts/items/{alert_id}", "read.alerts", alert_feature_of, media_type=features.MEDIA_TYPE
    ),
    Read("/v1/collections/levels/items/{unit}", "read.alerts", level_feature_of, media_type=features.MEDIA_TYPE),
)  # fmt: skip
