"""Alerts and told levels as features of GeoJSON (RFC 7946), as OGC API Features 1.0 serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from events.alert import Code
from projections.alert_level.naming import LEVELS
from services.bulletins.shapes import Json
from services.bulletins.told import Told

MEDIA_TYPE = "application/geo+json"
CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
SCHEMES = ("pcode", "national_code", "iso_3166")
NO_ALERT = "There is no alert here, which does not say that it is calm."

Link = Mapping[str, str]
Where = Callable[[str, Iterable[Code]], Json | None]
"""Where a unit is, by its id and its codes."""


def alert_feature(told: Told, where: Where) -> dict[str, Any]:
    """One alert: the event's own words, flat, as tools for maps show them."""
    alert = told.alert
    properties = {
        "unit": alert.unit,
        "unit_name": alert.unit_name,
        **_coded(alert.codes),
        "level": alert.after,
        "level_name": LEVELS[alert.after],
        "from": alert.before,
        "on": alert.on.isoformat(),
        "change": str(alert.change),
        "kinds": [str(kind) for kind in alert.kinds],
        "mode": told.mode,
        "warns": told.stands,
        "updates": alert.updates and str(alert.updates),
        "cancels": alert.cancels and str(alert.cancels),
        "rules_hash": alert.rules_hash,
    }
    return _feature(str(told.alert_id), where(alert.unit, alert.codes), properties)


def level_feature(
    unit: str, name: str | None, codes: Sequence[Code], last: Told | None, where: Where
) -> dict[str, Any]:
    """A unit with the level that its last alert tells; where that warns no more, or there is none, that is said."""
    alert = last.alert if last is not None and last.stands else None
    properties: dict[str, Any] = {
        "unit": unit,
        "unit_name": name,
        **_coded(codes),
        "level": None if alert is None else alert.after,
        "level_name": None if alert is None else LEVELS[alert.after],
        "since": None if alert is None else alert.on.isoformat(),
        "alert": None if alert is None or last is None else str(last.alert_id),
    }
    if alert is None:
        properties["note"] = NO_ALERT
    return _feature(unit, where(unit, codes), properties)


def collection(features: Sequence[Json], links: Sequence[Link]) -> dict[str, Any]:
    """A page of features."""
    shown = list(features)
    return {"type": "FeatureCollection", "features": shown, "numberReturned": len(shown), "links": list(links)}


def _feature(its_id: str, shape: Json | None, properties: Json) -> dict[str, Any]:
    return {"type": "Feature", "id": its_id, "geometry": shape, "properties": properties}


def _coded(codes: Iterable[Code]) -> dict[str, str | None]:
    """A unit's codes by their schemes; those that everybody uses stand there also where it has none."""
    return dict.fromkeys(SCHEMES) | {one.scheme: one.code for one in codes}
