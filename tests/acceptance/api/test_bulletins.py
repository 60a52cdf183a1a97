"""Alerts in the forms that other programs read, asked for as those do: with feedparser and a bare XML parser."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import frictionless
import httpx
import pytest
from lxml import etree

from services.bulletins.xml import XSD
from tests.support.bulletins import ReaderOfCap, read_cap, said
from tests.support.doors import ALINE, AUDITOR, CONSUMER
from tests.support.told import Told

FEED, ITEMS = "/v1/alerts/feed.atom", "/v1/collections/alerts/items"


async def parsed(told: Told, address: str) -> Any:
    url = httpx.URL(address)
    params: dict[str, Any] = {name: url.params.get_list(name) for name in url.params}
    answer = await told.doors.get(CONSUMER, url.path, **params)
    assert answer.status_code == 200, answer.text
    feed = feedparser.parse(answer.content)
    assert not feed.bozo, feed.bozo_exception
    return feed


def related(feed: Any, relation: str) -> str | None:
    return next((link["href"] for link in feed.feed.links if link["rel"] == relation), None)


async def walked(told: Told, relation: str, start: str, limit: int) -> list[Any]:
    """Entries from one page on, by a relation to its end."""
    entries, address = [], f"{start}{'&' if '?' in start else '?'}limit={limit}"
    while True:
        feed = await parsed(told, address)
        assert len(feed.entries) <= limit
        entries += feed.entries if relation == "next" else reversed(feed.entries)
        following = related(feed, relation)
        if following is None:
            return entries
        address = following


async def documents(told: Told) -> list[etree._Element]:
    """Every CAP document that the feed leads to, the oldest first."""
    found = []
    for entry in reversed(await walked(told, "next", FEED, 2)):
        (link,) = [link for link in entry.links if link["rel"] == "alternate"]
        answer = await told.doors.get(CONSUMER, link["href"])
        assert answer.headers["content-type"] == "application/cap+xml" == link["type"]
        found.append(read_cap(answer.content))
    return found


async def test_who_follows_the_feed_has_every_alert_once_whatever_the_page(told: Told) -> None:
    listed = [alert["id"] for alert in await told.pages(CONSUMER, "/v1/alerts", "alerts")]
    assert listed
    for limit in (1, 2, 200):
        entries = await walked(told, "next", FEED, limit)
        assert [entry.id.removeprefix("urn:uuid:") for entry in reversed(entries)] == listed
    assert len({entry.updated for entry in entries}) == len(entries)
    assert [entry.updated for entry in entries] == sorted((entry.updated for entry in entries), reverse=True)


async def test_a_page_leads_back_to_the_newer_ones(told: Told) -> None:
    forth = await walked(told, "next", FEED, 1)
    last = await parsed(told, f"{FEED}?limit=1")
    while (address := related(last, "next")) is not None:
        last = await parsed(told, address)
    back = list(last.entries)
    while (address := related(last, "previous")) is not None:
        last = await parsed(told, address)
        back += last.entries
    assert [entry.id for entry in back] == [entry.id for entry in reversed(forth)]


async def test_every_document_is_valid_and_what_it_refers_to_was_there_before(told: Told) -> None:
    schema, known = etree.XMLSchema(etree.parse(XSD)), set[str]()
    for document in await documents(told):
        assert schema.validate(document), schema.error_log
        named = {said(document, name)[0] for name in ("identifier",)}
        refers = {one.split(",")[1] for one in " ".join(said(document, "references")).split()}
        assert refers <= known
        known |= named
    assert known


async def test_whoever_knows_cap_alone_ends_with_the_levels_that_strangers_are_told(told: Told) -> None:
    reader, last = ReaderOfCap(), ""
    for document in await documents(told):
        if said(document, "status") == ["Actual"]:
            reader.take(document)
            last = said(document, "sent")[0]
    warned = reader.in_effect(datetime.fromisoformat(last) + timedelta(days=1))
    severities = ("Minor", "Minor", "Moderate", "Severe", "Extreme")
    rows = await told.pages(CONSUMER, "/v1/levels", "levels")
    assert {(said(one, "info/area/areaDesc")[0], said(one, "info/severity")[0]) for one in warned} == {
        (row["unit_name"], severities[row["level"]]) for row in rows if row["level"] is not None
    }
    assert warned


async def test_what_has_not_changed_is_not_sent_again(told: Told) -> None:
    for path in (FEED, f"/v1/alerts/{told.alert_id}/cap"):
        first = await told.doors.get(CONSUMER, path)
        again = await told.doors.get(CONSUMER, path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
        assert (await told.doors.get(ALINE, path)).content == first.content


async def test_a_feed_speaks_four_languages_and_of_the_units_that_are_asked_for(told: Told) -> None:
    titles = {code: (await parsed(told, f"{FEED}?language={code}")).entries[0].title for code in ("en", "fr", "rn")}
    assert len(set(titles.values())) == 3
    assert not (await parsed(told, f"{FEED}?unit=bi:c2015:bukeye")).entries
    empty = await parsed(told, f"{FEED}?unit=bi:c2015:bukeye")
    assert empty.feed.updated == "1970-01-01T00:00:00Z"


async def test_what_cannot_be_is_told(told: Told) -> None:
    assert await told.refused(AUDITOR, "/v1/alerts/not-an-id/cap") == (400, 1005)
    assert await told.refused(AUDITOR, "/v1/alerts/00000000-0000-4000-8000-000000000000/cap") == (404, 1015)
    assert await told.refused(AUDITOR, FEED, language="xx") == (400, 1005)
    assert await told.refused(AUDITOR, FEED, cursor="nonsense") == (400, 1006)
    assert (await told.doors.get(None, FEED)).status_code == 401


FORMS = (
    "/v1/alerts/{alert_id}/cap",
    FEED,
    f"{FEED}?limit=1",
    "/v1/alerts.csv",
    f"{ITEMS}?limit=1",
    ITEMS + "/{alert_id}",
)


async def test_no_form_of_an_alert_has_its_position_in_it_or_in_an_address_to_go_on_from(told: Told) -> None:
    """Whoever knows the position of a report of their own could tell by another one when the alert was recorded."""
    sequences = {str(int(alert["sequence"])) for alert in (await told.see(CONSUMER, "/v1/alerts"))["alerts"]}
    going_on = 0
    for form in FORMS:
        answer = await told.doors.client.get(
            form.format(alert_id=told.alert_id), headers=told.doors.authorization(CONSUMER)
        )
        assert answer.status_code == 200, answer.text
        assert "position" not in answer.text, form
        assert "sequence" not in answer.text, form
        assert answer.headers["etag"].strip('W/"') not in sequences
        for cursor in re.findall(r"cursor=([A-Za-z0-9_-]+)", answer.text):
            key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            assert not any(isinstance(part, int) for part in key), key
            going_on += 1
    assert going_on


@pytest.mark.parametrize("path", [FEED, "/v1/alerts/{alert_id}/cap"])
async def test_no_form_of_an_alert_has_the_moment_at_which_it_was_recorded(told: Told, path: str) -> None:
    (alert,) = [one for one in (await told.see(CONSUMER, "/v1/alerts"))["alerts"] if one["id"] == told.alert_id]
    answer = await told.doors.get(CONSUMER, path.format(alert_id=told.alert_id))
    instants = re.findall(r"T([0-9]{2}):([0-9]{2}):[0-9]{2}", answer.text)
    assert instants
    assert {minute for _, minute in instants} == {"00"}
    for name in ("actorref", "commandmac", "time"):
        assert alert[name] not in answer.text, name


async def test_the_table_has_every_alert_once_and_is_what_its_package_says(told: Told, tmp_path: Path) -> None:
    listed = [alert["id"] for alert in await told.pages(CONSUMER, "/v1/alerts", "alerts")]
    package = await told.see(CONSUMER, "/v1/datapackage.json")
    (resource,) = package["resources"]
    answer = await told.doors.get(CONSUMER, f"/v1/{resource['path']}")
    assert answer.headers["content-type"].startswith("text/csv")
    (tmp_path / resource["path"]).write_bytes(answer.content)
    (tmp_path / "datapackage.json").write_text(json.dumps(package), "utf-8")
    report = frictionless.Package(str(tmp_path / "datapackage.json")).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldNumber", "message"])
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["alert_id"] for row in rows] == listed
    head, *lines = answer.text.splitlines()
    for number, row in enumerate(rows, start=1):
        rest = await told.doors.get(CONSUMER, "/v1/alerts.csv", after=row["alert_id"])
        assert rest.text.splitlines() == [head, *lines[number:]]
        assert rest.headers["etag"] != answer.headers["etag"]
    again = await told.doors.get(CONSUMER, "/v1/alerts.csv", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for nothing in ("many", "1", "", "00000000-0000-4000-8000-000000000000"):
        assert await told.refused(CONSUMER, "/v1/alerts.csv", after=nothing) == (400, 1005)
