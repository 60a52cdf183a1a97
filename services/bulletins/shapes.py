"""Where units are, as GeoJSON says it: boundaries that somebody brought, else the centroid that the gazetteer has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from events.alert import Code
from events.places.facts import Unit
from events.places.gazetteer import Gazetteer

Json = Mapping[str, Any]
Position = Sequence[float]
Ring = Sequence[Position]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
MOST_BYTES = 64 * 1024 * 1024
_SAME_AS_CRS84 = ("CRS84", "EPSG::4326", "EPSG:4326")


class BoundariesRefused(Exception):
    """A file of boundaries that cannot be used; the message names the feature and the field, and what was expected."""


class Box(NamedTuple):
    """Degrees: west, south, east, north."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Boundaries:
    """Polygons by a code or an id of their unit."""

    shapes: Mapping[str, Json] = field(default_factory=dict)

    def of(self, unit: str, codes: Iterable[Code]) -> Json | None:
        """The boundary of a unit, by its id or any of its codes."""
        keys = (unit, *(one.code for one in codes))
        return next((self.shapes[key] for key in keys if key in self.shapes), None)


def geometry(unit: Unit, boundaries: Boundaries, codes: Iterable[Code]) -> Json | None:
    """Where a unit is; None where nobody said."""
    shape = boundaries.of(unit.unit_id, codes)
    if shape is not None or unit.latitude_udeg is None or unit.longitude_udeg is None:
        return shape
    return {"type": "Point", "coordinates": [unit.longitude_udeg / 1e6, unit.latitude_udeg / 1e6]}


def where_in(gazetteer: Gazetteer, boundaries: Boundaries) -> Callable[[str, Iterable[Code]], Json | None]:
    """Answers where a unit is, by its id and its codes: one that the gazetteer lacks has a boundary or no place."""

    def where(unit: str, codes: Iterable[Code]) -> Json | None:
        row = gazetteer.units.get(unit)
        return boundaries.of(unit, codes) if row is None else geometry(row, boundaries, codes)

    return where


def polygons(shape: Json | None) -> Iterator[str]:
    """The outer rings of a boundary as CAP writes polygons: latitude first. CAP knows no holes."""
    for ring, *_ in _polygons_of(shape):
        yield " ".join(f"{_degrees(latitude)},{_degrees(longitude)}" for longitude, latitude, *_ in ring)


def box_of(shapes: Iterable[Json]) -> Box | None:
    """What holds all of them."""
    every = [position for shape in shapes for position in _positions(shape)]
    if not every:
        return None
    longitudes, latitudes = [one[0] for one in every], [one[1] for one in every]
    return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def meets(shape: Json, box: Box) -> bool:
    """Whether a point or a boundary has a place in common with a box, whose edges belong to it."""
    if shape["type"] == "Point":
        return _inside_box(shape["coordinates"], box)
    return any(_polygon_meets(rings, box) for rings in _polygons_of(shape))


def read_boundaries(file: Path, named_by: str) -> Boundaries:
    """A GeoJSON file (RFC 7946) of polygons, with a unit's code or id in this property; raises BoundariesRefused."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BoundariesRefused(f"{file}: expected at most {MOST_BYTES >> 20} MiB; simplify the boundaries.")
        read = file.read_bytes()
        content = orjson.loads(read)
    except OSError as why:
        raise BoundariesRefused(
            f"{file} cannot be read ({why.strerror}); correct the setting or put it there."
        ) from None
    except orjson.JSONDecodeError as why:
        raise BoundariesRefused(f"{file}: expected JSON, and line {why.lineno} is none; correct it.") from None
    try:
        return Boundaries(dict(_features(content, named_by)))
    except _Wrong as wrong:
        raise BoundariesRefused(f"{file}: {wrong}") from None


class _Wrong(Exception):
    pass


def _features(content: Any, named_by: str) -> Iterator[tuple[str, Json]]:
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        raise _Wrong("type: expected FeatureCollection; wrap the features in one.")
    if "crs" in content and not any(name in str(content["crs"]) for name in _SAME_AS_CRS84):
        raise _Wrong("crs: expected longitude and latitude in degrees (CRS84); project it to that.")
    features = content.get("features")
    if not isinstance(features, list):
        raise _Wrong("features: expected a list; correct it.")
    known: set[str] = set()
    for number, feature in enumerate(features, 1):
        where = f"feature {number}"
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise _Wrong(f"{where}: type: expected Feature; correct it.")
        name = (feature.get("properties") or {}).get(named_by)
        if not isinstance(name, str) or not name:
            raise _Wrong(
                f"{where}: properties.{named_by}: expected the code or id of a unit, a text; add it, or name another "
                "property in INTABAZA_BOUNDARIES_PROPERTY."
            )
        if name in known:
            raise _Wrong(f"{where}: properties.{named_by}: {name} stands in another feature too; keep one of them.")
        known.add(name)
        yield name, _shape(feature.get("geometry"), f"{where} ({name})")


def _shape(shape: Any, where: str) -> Json:
    kind = shape.get("type") if isinstance(shape, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _Wrong(f"{where}: geometry.type: expected Polygon or MultiPolygon; draw the boundary as one.")
    coordinates = shape.get("coordinates")
    several = coordinates if kind == "MultiPolygon" else [coordinates]
    if not isinstance(several, list) or not several:
        raise _Wrong(f"{where}: geometry.coordinates: expected a list of polygons; correct it.")
    for rings in several:
        if not isinstance(rings, list) or not rings:
            raise _Wrong(f"{where}: geometry.coordinates: expected a list of rings; correct it.")
        for ring in rings:
            _refuse_ring(ring, where)
    return {"type": kind, "coordinates": coordinates}


def _refuse_ring(ring: Any, where: str) -> None:
    place = f"{where}: geometry.coordinates"
    if not isinstance(ring, list) or len(ring) < 4:
        raise _Wrong(f"{place}: expected rings of at least four positions; complete it.")
    for one in ring:
        if not (
            isinstance(one, list) and len(one) in (2, 3) and all(type(part) in (int, float) for part in one)
            and abs(one[0]) <= 180 and abs(one[1]) <= 90
        ):  # fmt: skip
            raise _Wrong(f"{place}: {str(one)[:60]}: expected [longitude, latitude] in degrees; correct it.")
    if ring[0] != ring[-1]:
        raise _Wrong(f"{place}: expected rings that end where they begin; repeat the first position at the end.")


def _degrees(number: float) -> str:
    """A metre at most is lost."""
    return f"{number:.5f}".rstrip("0").rstrip(".")


def _polygons_of(shape: Json | None) -> Sequence[Sequence[Ring]]:
    if shape is None or shape["type"] == "Point":
        return []
    coordinates: Any = shape["coordinates"]
    return coordinates if shape["type"] == "MultiPolygon" else [coordinates]


def _positions(shape: Json) -> Iterator[Position]:
    if shape["type"] == "Point":
        yield shape["coordinates"]
    for rings in _polygons_of(shape):
        yield from rings[0]


def _polygon_meets(rings: Sequence[Ring], box: Box) -> bool:
    """Its edges pass through the box; or none does, and the box lies whole inside the polygon."""
    if any(_edge_meets(one, other, box) for ring in rings for one, other in pairwise(ring)):
        return True
    corner = (box.west, box.south)
    return _inside_ring(corner, rings[0]) and not any(_inside_ring(corner, hole) for hole in rings[1:])


def _inside_box(one: Position, box: Box) -> bool:
    return box.west <= one[0] <= box.east and box.south <= one[1] <= box.north


def _edge_meets(one: Position, other: Position, box: Box) -> bool:
    """Cuts the edge down to what lies between the sides of the box, one pair after the other (Liang and Barsky)."""
    begin, end = 0.0, 1.0
    for axis, low, high in ((0, box.west, box.east), (1, box.south, box.north)):
        length = other[axis] - one[axis]
        if length == 0:
            if not low <= one[axis] <= high:
                return False
            continue
        first, second = sorted(((low - one[axis]) / length, (high - one[axis]) / length))
        begin, end = max(begin, first), min(end, second)
        if begin > end:
            return False
    return True


def _inside_ring(one: Position, ring: Ring) -> bool:
    """Whether a ray from it to the east crosses the ring an odd number of times."""
    inside = False
    for (x1, y1, *_), (x2, y2, *_) in pairwise(ring):
        if (y1 > one[1]) != (y2 > one[1]) and one[0] < (x2 - x1) * (one[1] - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def boxes(numbers: Sequence[float]) -> list[Box]:
    """The boxes of the parameter `bbox`: one, or two where it passes over the meridian of 180; raises ValueError."""
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ValueError
    west, south, east, north = numbers
    if south > north or max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        raise ValueError
    if west <= east:
        return [Box(west, south, east, north)]
    return [Box(west, south, 180, north), Box(-180, south, east, north)]
