"""Boundaries that somebody brings: what cannot be is told by feature and field; where they are is answered rightly."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.alert import Code
from events.places.facts import Unit
from services.bulletins.issuer import boundaries_of
from services.bulletins.shapes import (
    Boundaries,
    BoundariesRefused,
    Box,
    box_of,
    boxes,
    geometry,
    meets,
    polygons,
    read_boundaries,
)
from services.settings import Settings

SQUARE = [[29.0, -4.0], [30.0, -4.0], [30.0, -3.0], [29.0, -3.0], [29.0, -4.0]]
HOLE = [[29.4, -3.6], [29.6, -3.6], [29.6, -3.4], [29.4, -3.4], [29.4, -3.6]]
TWO: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"pcode": "BDI001002", "name": "Gihanga"},
            "geometry": {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
        },
        {
            "type": "Feature",
            "properties": {"pcode": "bi:c2025:mpanda"},
            "geometry": {"type": "MultiPolygon", "coordinates": [[SQUARE], [[[0, 0], [1, 0], [1, 1], [0, 0]]]]},
        },
    ],
}
GIHANGA = Unit(unit_id="bi:c2015:gihanga", kind="commune", name="Gihanga", pcode="BDI001002", sources=("ocha",))


def written(folder: Path, content: Any) -> Path:
    file = folder / "boundaries.geojson"
    file.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return file


def test_a_unit_is_found_by_its_code_or_its_id_and_without_either_at_its_centroid(tmp_path: Path) -> None:
    brought = read_boundaries(written(tmp_path, TWO), "pcode")
    pcode = (Code(scheme="pcode", code="BDI001002"),)
    assert geometry(GIHANGA, brought, pcode) == {"type": "Polygon", "coordinates": [SQUARE, HOLE]}
    assert brought.of("bi:c2025:mpanda", ()) is not None
    assert geometry(GIHANGA, Boundaries(), pcode) is None
    placed = GIHANGA.model_copy(update={"latitude_udeg": -3_197_400, "longitude_udeg": 29_294_440})
    assert geometry(placed, Boundaries(), pcode) == {"type": "Point", "coordinates": [29.29444, -3.1974]}


def test_cap_takes_outer_rings_with_the_latitude_first_and_a_point_is_none() -> None:
    shape = TWO["features"][1]["geometry"]
    assert list(polygons(shape)) == ["-4,29 -4,30 -3,30 -3,29 -4,29", "0,0 0,1 1,1 0,0"]
    assert next(polygons({"type": "Polygon", "coordinates": [[[29.365714, -3.1234567]] * 4]}))[:18] == (
        "-3.12346,29.36571 "
    )
    assert list(polygons({"type": "Point", "coordinates": [29, -3]})) == []
    assert list(polygons(None)) == []


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    content = deepcopy(TWO)
    part: Any = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return content


RING = ["features", 1, "geometry", "coordinates", 0, 0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "expected JSON, and line 1 is none"),
        ([], "type: expected FeatureCollection"),
        (changed(["features"], 3), "features: expected a list"),
        (changed(["crs"], {"properties": {"name": "EPSG:32735"}}), "crs: expected longitude and latitude"),
        (changed(["features", 0], {}), "feature 1: type: expected Feature"),
        (
            changed(["features", 0, "properties"], None),
            "feature 1: properties.pcode: expected the code or id of a unit",
        ),
        (changed(["features", 1, "properties", "pcode"], "BDI001002"), "feature 2: properties.pcode: BDI001002 stands"),
        (changed(["features", 1, "geometry"], None), "feature 2 (bi:c2025:mpanda): geometry.type: expected Polygon"),
        (
            changed(["features", 0, "geometry", "coordinates"], []),
            "feature 1 (BDI001002): geometry.coordinates: expect",
        ),
        (
            changed(RING, [[0, 0], [1, 1], [0, 0]]),
            "feature 2 (bi:c2025:mpanda): geometry.coordinates: expected rings of",
        ),
        (changed([*RING, 1], ["0", 1]), "geometry.coordinates: ['0', 1]: expected [longitude, latitude] in degrees"),
        (changed([*RING, 1], [29.0, -403.0]), "[29.0, -403.0]: expected [longitude, latitude] in degrees"),
        (changed([*RING, 0], [29.5, -4.0]), "expected rings that end where they begin"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_feature_and_field(tmp_path: Path, content: Any, said: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(BoundariesRefused) as refused:
        read_boundaries(file, "pcode")
    assert said in str(refused.value)
    assert str(file) in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BoundariesRefused, match="cannot be read"):
        boundaries_of(Settings(boundaries_file=tmp_path / "none.geojson"))
    assert boundaries_of(Settings()) == Boundaries()
    file = written(tmp_path, TWO)
    assert set(boundaries_of(Settings(boundaries_file=file)).shapes) == {"BDI001002", "bi:c2025:mpanda"}
    with pytest.raises(BoundariesRefused, match="ADM2_PCODE"):
        boundaries_of(Settings(boundaries_file=file, boundaries_property="ADM2_PCODE"))


degrees = st.integers(-20, 20).map(float)


@given(st.lists(st.tuples(degrees, degrees), min_size=3, max_size=6), degrees, degrees, degrees, degrees)
def test_what_has_a_corner_or_a_middle_in_common_with_a_box_meets_it(
    corners: list[tuple[float, float]], west: float, south: float, east: float, north: float
) -> None:
    box = Box(min(west, east), min(south, north), max(west, east), max(south, north))
    ring = [list(corner) for corner in [*corners, corners[0]]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    edges = [[(one[0] + other[0]) / 2, (one[1] + other[1]) / 2] for one, other in pairwise(ring)]
    inside = any(box.west <= x <= box.east and box.south <= y <= box.north for x, y in [*ring, *edges])
    around = box_of([shape])
    assert around is not None
    apart = around.west > box.east or around.east < box.west or around.south > box.north or around.north < box.south
    if inside:
        assert meets(shape, box)
    if apart:
        assert not meets(shape, box)


def test_a_box_inside_a_boundary_meets_it_and_one_inside_its_hole_does_not() -> None:
    shape = TWO["features"][0]["geometry"]
    assert meets(shape, Box(29.1, -3.9, 29.2, -3.8))
    assert not meets(shape, Box(29.45, -3.55, 29.55, -3.45))
    assert meets(shape, Box(29.3, -3.7, 29.7, -3.3))
    assert meets(shape, Box(28.0, -3.5, 31.0, -3.45))
    assert not meets(shape, Box(28.0, -5.0, 28.9, 0.0))


def test_a_box_over_the_meridian_of_180_is_two() -> None:
    assert boxes([170, -10, -170, 10]) == [Box(170, -10, 180, 10), Box(-180, -10, -170, 10)]
    assert boxes([1, 2, 0, 3, 4, 100]) == [Box(1, 2, 3, 4)]
    for wrong in ([1, 2, 3], [1, 9, 2, 3], [1, 2, 3, 400], [float("nan"), 0, 1, 1], [0] * 5):
        with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the address's
            boxes(wrong)
