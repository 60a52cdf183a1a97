"""Alerts as other organisations' programs read them: a CAP document for each, and the feed that leads to them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from services.api.problems import NO_SUCH_ALERT, Refused
from services.api.reading import Asked, Read, Reply, no_such_cursor
from services.api.reads.alerts import OF_UNIT
from services.api.reads.levels import LANGUAGE
from services.bulletins import atom, cap, examples, shapes
from services.bulletins.history import FAR, History
from services.bulletins.told import Told
from services.words.languages import ENGLISH, LANGUAGES, language
from services.words.said import alerts_from

FEED = "/v1/alerts/feed.atom"


def history(asked: Asked) -> History:
    """What strangers may be told, up to what is on Kafka."""
    office = asked.office
    return History(office.projections.fetch, alerts_from(office.ledger, office.rules), office.feed.head)


def streams(asked: Asked) -> list[str] | None:
    """The streams of the units that are asked for; None for all."""
    units = asked.many("unit")
    return units and [f"alert/{unit}" for unit in units]


async def alert_in_the_address(asked: Asked, told: History) -> Told:
    """The alert that is meant; raises Refused."""
    alert = await told.one(asked.id("alert_id"))
    if alert is None:
        raise Refused(NO_SUCH_ALERT, "There is no alert of this id: see /v1/alerts.")
    return alert


async def place_of(told: History, alert_id: UUID | None) -> int | None:
    """Where the alert of a cursor stands; raises Refused.

    Addresses of other pages go along with what is passed on, and whoever knows the position of a report of their own
    could tell by another when an alert was recorded: so these cursors name alerts.
    """
    if alert_id is None:
        return None
    alert = await told.one(alert_id)
    if alert is None:
        raise no_such_cursor()
    return alert.position


async def alert_as_cap(asked: Asked) -> Reply:
    """One alert as a document of the Common Alerting Protocol 1.2, in every language; signed where a key is set.

    The same document whenever it is asked for, as long as the settings are the same.
    """
    told = history(asked)
    alert = await alert_in_the_address(asked, told)
    issuer, boundaries = asked.office.issuer, asked.office.boundaries
    polygons = shapes.polygons(boundaries.of(alert.alert.unit, alert.alert.codes))
    document = cap.unsigned(alert, await told.chain(alert), issuer, polygons)
    if issuer.signer is None:
        return Reply(document)
    # Two signatures of one document differ, so it is known by what was signed, and by whom.
    etag = f"{sha256(document).hexdigest()[:20]}-{issuer.signer.name}"
    return Reply(cap.signed(document, issuer.signer), etag=etag)


async def alert_feed(asked: Asked) -> Reply:
    """Alerts as an Atom feed, the latest first; each entry leads to its CAP document, `next` to those before.

    Go by the entries' ids: an entry never changes. `updated` is the alert's hour, with a second for each one before it.
    """
    told, of = history(asked), streams(asked)
    direction, alert_id = asked.cursor(str, UUID)
    position = await place_of(told, alert_id)
    most, newer, older = asked.rows, False, False
    if direction == "newer" and position is not None:
        found = await told.after(position, most + 1, of)
        page, newer, older = found[:most][::-1], len(found) > most, True
    else:
        found = await told.before(FAR if position is None else position, most + 1, of)
        page, newer, older = found[:most], position is not None, len(found) > most
    to = language(asked.one("language", tuple(LANGUAGES)) or ENGLISH)
    return Reply(atom.atom(page, _pages(asked, page, newer=newer, older=older), asked.office.issuer, to))


def _pages(asked: Asked, page: list[Told], *, newer: bool, older: bool) -> Mapping[str, str]:
    """Other pages of the feed, by their relation: `previous` is newer, `next` is older."""
    addresses = {"self": _at(asked, asked.this_page()), "first": _at(asked, asked.next_page(None))}
    if page and newer:
        addresses["previous"] = _at(asked, asked.next_page(["newer", page[0].alert_id]))
    if page and older:
        addresses["next"] = _at(asked, asked.next_page(["older", page[-1].alert_id]))
    return addresses


def _at(asked: Asked, path: str) -> str:
    return asked.office.issuer.at(path) or path


READS = (
    Read(
        "/v1/alerts/{alert_id}/cap", "read.alerts", alert_as_cap,
        media_type=cap.MEDIA_TYPE, example=examples.cap_document,
    ),
    Read(
        FEED, "read.alerts", alert_feed, (OF_UNIT, LANGUAGE), paged=True,
        media_type=atom.MEDIA_TYPE, example=examples.atom_feed, links=False,
    ),
)  # fmt: skip
