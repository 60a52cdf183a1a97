"""The feed of alerts as Atom (RFC 4287), page by page (RFC 5005, section 3): each entry leads to a CAP document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from services.bulletins import cap
from services.bulletins.issuer import Issuer
from services.bulletins.told import Told
from services.bulletins.xml import text
from services.words.alert import description, headline
from services.words.languages import Language

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
TITLE = "Alerts"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def atom(page: Sequence[Told], pages: Mapping[str, str], issuer: Issuer, to: Language) -> bytes:
    """A page, the latest alert first; `pages` are addresses of others, by how they stand to it (`next` is older)."""
    root = etree.Element(_tag("feed"), nsmap={None: NAMESPACE})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", to.code)
    _put(root, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, f'alerts of {issuer.sender}')}")
    _put(root, "title", f"{TITLE}: {issuer.sender_name}")
    _put(root, "updated", _stamp(page[0].sent if page else _NEVER))
    _put(etree.SubElement(root, _tag("author")), "name", issuer.sender_name)
    for relation, address in pages.items():
        _link(root, relation, address, MEDIA_TYPE)
    for told in page:
        _entry(root, told, issuer, to)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def document_of(told_id: object, issuer: Issuer) -> str:
    """Where the CAP document of an alert is."""
    path = f"/v1/alerts/{told_id}/cap"
    return issuer.at(path) or path


def _entry(root: etree._Element, told: Told, issuer: Issuer, to: Language) -> None:
    entry = etree.SubElement(root, _tag("entry"))
    _put(entry, "id", f"urn:uuid:{told.alert_id}")
    _put(entry, "title", headline(told.alert, told.mode, stands=told.stands, to=to))
    _put(entry, "updated", _stamp(told.sent))
    _link(entry, "alternate", document_of(told.alert_id, issuer), cap.MEDIA_TYPE)
    if told.supersedes is not None:
        _link(entry, "related", document_of(told.supersedes, issuer), cap.MEDIA_TYPE)
    _category(entry, "urn:intabaza:mode", told.mode)
    _category(entry, "urn:intabaza:change", str(told.alert.change))
    _category(entry, "urn:intabaza:level", str(told.alert.after))
    _category(entry, "urn:intabaza:unit", told.alert.unit)
    _category(entry, "urn:intabaza:cap-msgtype", cap.message_type(told))
    _put(entry, "summary", description(told.alert, told.mode, stands=told.stands, to=to))


def _put(parent: etree._Element, name: str, words: str) -> None:
    etree.SubElement(parent, _tag(name)).text = text(words)


def _link(parent: etree._Element, relation: str, address: str, media_type: str) -> None:
    etree.SubElement(parent, _tag("link"), rel=relation, href=address, type=media_type)


def _category(parent: etree._Element, scheme: str, term: str) -> None:
    etree.SubElement(parent, _tag("category"), scheme=scheme, term=text(term))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
