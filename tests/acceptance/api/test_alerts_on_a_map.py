"""Alerts and told levels for maps, asked for as a program for maps does that knows OGC API Features alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.api.examples import GIHANGA, GISURU, MPANDA
from tests.support.doors import ADMIN, ALINE, AUDITOR, CONSUMER, Caller
from tests.support.told import Told

ALERTS, LEVELS = "/v1/collections/alerts/items", "/v1/collections/levels/items"
AROUND_MPANDA = "29.2,-3.3,29.6,-3.0"
FAR_AWAY = "30.2,-3.7,30.6,-3.3"


async def followed(told: Told, path: str, caller: Caller = CONSUMER, **params: Any) -> list[dict[str, Any]]:
    """Every feature, by the links `next`."""
    features: list[dict[str, Any]] = []
    while True:
        answer = await told.doors.get(caller, path, **params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/geo+json"
        page = answer.json()
        assert page["numberReturned"] == len(page["features"])
        features += page["features"]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        if following is None:
            return features
        url = httpx.URL(following)
        path, params = url.path, {name: url.params.get_list(name) for name in url.params}


async def test_a_map_finds_everything_from_the_first_page_on(told: Told) -> None:
    start = await told.see(CONSUMER, "/v1")
    links = {link["rel"]: httpx.URL(link["href"]) for link in start["links"]}
    assert (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
        in (await told.see(CONSUMER, links["conformance"].path))["conformsTo"]
    )
    for collection in (await told.see(CONSUMER, links["data"].path))["collections"]:
        own = {link["rel"]: httpx.URL(link["href"]) for link in collection["links"]}
        assert await told.see(CONSUMER, own["self"].path) == collection
        west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
        assert 28 < west < east < 31
        assert -5 < south < north < -2
        for feature in await followed(told, own["items"].path, limit=3):
            alone = await told.see(CONSUMER, f"{own['items'].path}/{feature['id']}")
            assert {name: alone[name] for name in feature} == feature


async def test_every_alert_is_a_feature_at_its_centroid(told: Told) -> None:
    events = {alert["id"]: alert for alert in await told.pages(CONSUMER, "/v1/alerts", "alerts")}
    for limit in (1, 1000, 5000):
        found = await followed(told, ALERTS, limit=limit)
        assert [feature["id"] for feature in found] == list(events)
    for feature in found:
        data, properties = events[feature["id"]]["data"], feature["properties"]
        assert feature["geometry"]["type"] == "Point"
        assert (properties["unit"], properties["level"], properties["from"]) == (data["unit"], data["to"], data["from"])
        assert (properties["on"], properties["kinds"]) == (data["on"], data["kinds"])
        assert {"scheme": "pcode", "code": properties["pcode"]} in data["codes"]
        place = await told.see(CONSUMER, f"/v1/places/{data['unit']}")
        where = [place["longitude_udeg"] / 1e6, place["latitude_udeg"] / 1e6]
        assert feature["geometry"]["coordinates"] == where


async def test_the_levels_of_a_map_are_those_that_strangers_are_told_and_the_same_for_everybody(told: Told) -> None:
    mapped = {one["id"]: one["properties"] for one in await followed(told, LEVELS, limit=7)}
    listed = await told.pages(CONSUMER, "/v1/levels", "levels")
    told_of = {row["unit"]: (row["level"], row["since"]) for row in listed if row["level"] is not None}
    assert told_of
    assert {unit: (row["level"], row["since"]) for unit, row in mapped.items() if row["level"] is not None} == told_of
    assert len(mapped) >= 119
    for caller in (ALINE, ADMIN, AUDITOR):
        assert {one["id"]: one["properties"] for one in await followed(told, LEVELS, caller)} == mapped
    quiet = [row for row in mapped.values() if row["level"] is None]
    assert len({tuple(sorted(row)) for row in quiet}) == 1
    assert {row["note"] for row in quiet} == {"There is no alert here, which does not say that it is calm."}


async def test_features_are_chosen_by_box_by_day_and_by_unit(told: Told) -> None:
    every = await followed(told, ALERTS)
    assert {one["properties"]["unit"] for one in await followed(told, LEVELS, bbox=AROUND_MPANDA)} >= {MPANDA, GIHANGA}
    assert GISURU not in {one["id"] for one in await followed(told, LEVELS, bbox=AROUND_MPANDA)}
    there = await followed(told, ALERTS, bbox=AROUND_MPANDA, unit="bi:p2015:bubanza", limit=1)
    assert there
    assert not [one for one in await followed(told, ALERTS, bbox=FAR_AWAY) if one["properties"]["unit"] == MPANDA]
    day = there[-1]["properties"]["on"]
    for when in (day, f"{day}/..", f"../{day}", f"{day}/{day}", f"{day}T12:00:00+02:00", f"../{day}T12:00:00Z"):
        assert there[-1] in await followed(told, ALERTS, datetime=when), when
    assert await followed(told, ALERTS, datetime="../2001-01-01") == []
    assert await followed(told, ALERTS, datetime="../..") == every
    assert await followed(told, ALERTS, unit="bi:c2015:bukeye") == []


@pytest.mark.parametrize(
    ("path", "params", "problem"),
    [
        (ALERTS, {"bbox": "1,2,3"}, (400, 1005)),
        (ALERTS, {"bbox": "west,2,3,4"}, (400, 1005)),
        (ALERTS, {"bbox": "1,5,3,4"}, (400, 1005)),
        (ALERTS, {"datetime": "yesterday"}, (400, 1005)),
        (ALERTS, {"datetime": "2015-05-13T10:00:00"}, (400, 1005)),
        (ALERTS, {"datetime": "2015-05-13/2015-05-14/.."}, (400, 1005)),
        (ALERTS, {"limit": "0"}, (400, 1005)),
        (LEVELS, {"datetime": ".."}, (400, 1005)),
        (LEVELS, {"cursor": "nonsense"}, (400, 1006)),
        (LEVELS, {"unit": "bi:nowhere"}, (422, 1101)),
        (f"{LEVELS}/bi:nowhere", {}, (422, 1101)),
        (f"{ALERTS}/00000000-0000-4000-8000-000000000000", {}, (404, 1015)),
        ("/v1/collections/cases/items", {}, (404, 1007)),
    ],
)
async def test_what_cannot_be_is_told(told: Told, path: str, params: dict[str, str], problem: tuple[int, int]) -> None:
    assert await told.refused(CONSUMER, path, **params) == problem


async def test_what_has_not_changed_is_not_sent_again(told: Told) -> None:
    for path in (ALERTS, LEVELS, "/v1/collections"):
        first = await told.doors.get(CONSUMER, path)
        again = await told.doors.get(CONSUMER, path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
