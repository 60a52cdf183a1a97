"""Alerts and levels on a map: OGC API Features."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.answers.shapes import ANYTHING, DAY, ID, LINKS, NUMBER, TEXT, TRUE, Json, fields, many, maybe

EXTENT = fields({"temporal": ANYTHING}, {"spatial": ANYTHING})
FEATURES = {"id": TEXT, "title": TEXT, "description": TEXT, "itemType": TEXT, "crs": many(TEXT), "links": LINKS}
COLLECTION = fields(FEATURES | {"extent": EXTENT})
GEOMETRY = maybe(fields({"type": TEXT, "coordinates": {"type": "array"}}))
MAPPED = {"unit": TEXT, "unit_name": maybe(TEXT), "pcode": maybe(TEXT), "national_code": maybe(TEXT)} | {
    "iso_3166": maybe(TEXT),
    "level": maybe(NUMBER),
    "level_name": maybe(TEXT),
}


def feature(properties: Mapping[str, Json], sometimes: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """A feature of GeoJSON with these properties."""
    said = fields(properties, sometimes)
    return {"type": {"const": "Feature"}, "id": TEXT, "geometry": GEOMETRY, "properties": said}


ALERT_FEATURE = feature(
    MAPPED
    | {
        "from": NUMBER,
        "on": DAY,
        "change": TEXT,
        "kinds": many(TEXT),
        "mode": TEXT,
        "warns": TRUE,
        "updates": maybe(ID),
        "cancels": maybe(ID),
        "rules_hash": TEXT,
    }
)

LEVEL_FEATURE = feature(MAPPED | {"since": maybe(DAY), "alert": maybe(ID)}, {"note": TEXT})


def features(one: Mapping[str, Json]) -> Json:
    """A page of them."""
    collection = {"type": {"const": "FeatureCollection"}, "features": many(fields(one))}
    return fields(collection | {"numberReturned": NUMBER, "links": LINKS})


ANSWERS: Mapping[str, Json] = {
    "landing": fields({"title": TEXT, "description": TEXT, "links": LINKS}),
    "conformance": fields({"conformsTo": many(TEXT)}),
    "feature_collections": fields({"links": LINKS, "collections": many(COLLECTION)}),
    "alerts_collection": COLLECTION,
    "levels_collection": COLLECTION,
    "alert_features": features(ALERT_FEATURE),
    "level_features": features(LEVEL_FEATURE),
    "alert_feature_of": fields(ALERT_FEATURE | {"links": LINKS}),
    "level_feature_of": fields(LEVEL_FEATURE | {"links": LINKS}),
}
