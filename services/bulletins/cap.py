"""One alert as a document of the Common Alerting Protocol 1.2 (OASIS Standard, 1 July 2010).

`identifier` is the event's id, `sent` its hour (services/bulletins/told). `msgType` is Update where it takes the place
of an alert, Cancel where that should not have been told, Alert where there was none; `references` names them all, back
to the first of the chain, so that whoever missed one in between takes the right ones down. There is one `info` a
language, all with the same values:

- `category` Security. `severity` by the level: 4 Extreme, 3 Severe, 2 Moderate, below it Minor. `urgency` 4 Immediate,
  3 Expected, 2 and below Future; Past where it warns no more.
- `certainty` is the same in all that warn, Likely: what stands behind a level is told to nobody. Unknown where it warns
  no more, since no alert does not say that it is calm.
- `responseType` Monitor, or AllClear. `expires` by the settings; what warns no more expires a day after. It is an
  Update and no Cancel, which would say that it was never so: who knows CAP alone is rid of it when it has expired.
- `area` has the unit's name and its codes, and polygons only where somebody brought boundaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from lxml import etree

from events.alert import AlertChange
from events.vocabulary import Mode
from services.bulletins.issuer import Issuer
from services.bulletins.signing import Signer
from services.bulletins.told import Reference, Told
from services.bulletins.xml import parser, refuse_invalid, text
from services.words.alert import description, event_of, headline, in_what_earnest, instruction
from services.words.languages import ENGLISH, LANGUAGES, Language, language

MEDIA_TYPE = "application/cap+xml"
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MOST_REFERENCES = 20
"""An alert's chain is named back to so many: a unit that goes up and down for a year would fill pages with them."""

_STATUS = {Mode.ACTUAL.value: "Actual", Mode.EXERCISE.value: "Exercise"}
_SEVERITIES = ("Minor", "Minor", "Moderate", "Severe", "Extreme")
_URGENCIES = ("Future", "Future", "Future", "Expected", "Immediate")
_SCHEMES = {"pcode": "PCODE", "national_code": "NATIONAL", "iso_3166": "ISO3166"}
_ENDED = timedelta(days=1)


def cap(
    told: Told,
    earlier: Sequence[Reference],
    issuer: Issuer,
    polygons: Iterable[str] = (),
    languages: Iterable[str] = tuple(LANGUAGES),
) -> bytes:
    """The document, signed where the issuer signs; see `unsigned`."""
    document = unsigned(told, earlier, issuer, polygons, languages)
    return document if issuer.signer is None else signed(document, issuer.signer)


def unsigned(
    told: Told,
    earlier: Sequence[Reference],
    issuer: Issuer,
    polygons: Iterable[str] = (),
    languages: Iterable[str] = tuple(LANGUAGES),
) -> bytes:
    """What is said, the same bytes each time; `earlier` are the alerts whose place it takes, the latest first. Raises
    NotValid."""
    root = etree.Element(_tag("alert"), nsmap={None: NAMESPACE})
    _put(root, "identifier", str(told.alert_id))
    _put(root, "sender", issuer.sender)
    _put(root, "sent", stamp(told.sent, issuer.zone))
    _put(root, "status", _STATUS.get(told.mode, "Test"))
    _put(root, "msgType", message_type(told))
    _put(root, "scope", issuer.scope)
    if issuer.scope == "Restricted":
        _put(root, "restriction", issuer.restriction or "")
    if note := in_what_earnest(told.mode, language(ENGLISH)):
        _put(root, "note", note)
    if earlier:
        _put(root, "references", references(earlier, issuer))
    shapes = list(polygons)
    for code in languages:
        _info(root, told, issuer, language(code), shapes)
    refuse_invalid(root)
    return _written(root)


def signed(document: bytes, signer: Signer) -> bytes:
    """The same document with a signature, which is another one each time."""
    return _written(signer.sign(etree.fromstring(document, parser())))


def message_type(told: Told) -> str:
    """How it stands to what was told before."""
    if told.supersedes is None:
        return "Alert"
    return "Cancel" if told.alert.change == AlertChange.CANCELLED else "Update"


def references(earlier: Sequence[Reference], issuer: Issuer) -> str:
    """Alerts as CAP names them, the first of the chain first."""
    named = (f"{issuer.sender},{one.alert_id},{stamp(one.sent, issuer.zone)}" for one in reversed(earlier))
    return " ".join(named)


def stamp(moment: datetime, zone: tzinfo) -> str:
    """A moment as CAP writes it: whole seconds, an offset in digits, and -00:00 for UTC."""
    written = moment.astimezone(zone).isoformat(timespec="seconds")
    return written[:-6] + "-00:00" if written.endswith("+00:00") else written


def _info(root: etree._Element, told: Told, issuer: Issuer, to: Language, polygons: Sequence[str]) -> None:
    alert, stands = told.alert, told.stands
    info = etree.SubElement(root, _tag("info"))
    _put(info, "language", to.code)
    _put(info, "category", "Security")
    _put(info, "event", event_of(to))
    _put(info, "responseType", "Monitor" if stands else "AllClear")
    _put(info, "urgency", _URGENCIES[alert.after] if stands else "Past")
    _put(info, "severity", _SEVERITIES[alert.after])
    _put(info, "certainty", "Likely" if stands else "Unknown")
    if (expires := _expires(told, issuer)) is not None:
        _put(info, "expires", stamp(expires, issuer.zone))
    _put(info, "senderName", issuer.sender_name)
    _put(info, "headline", headline(alert, told.mode, stands=stands, to=to))
    _put(info, "description", description(alert, told.mode, stands=stands, to=to))
    _put(info, "instruction", instruction(stands=stands, to=to))
    if (web := issuer.at(f"/v1/collections/alerts/items/{told.alert_id}")) is not None:
        _put(info, "web", web)
    if issuer.contact:
        _put(info, "contact", issuer.contact)
    _named(info, "parameter", "intabaza:level", str(alert.after))
    _named(info, "parameter", "intabaza:from", str(alert.before))
    _named(info, "parameter", "intabaza:change", str(alert.change))
    _named(info, "parameter", "intabaza:on", alert.on.isoformat())
    for kind in alert.kinds:
        _named(info, "parameter", "intabaza:kind", str(kind))
    area = etree.SubElement(info, _tag("area"))
    _put(area, "areaDesc", alert.unit_name)
    for polygon in polygons:
        _put(area, "polygon", polygon)
    for one in alert.codes:
        _named(area, "geocode", _SCHEMES.get(one.scheme, one.scheme.upper()), one.code)
    _named(area, "geocode", "INTABAZA", alert.unit)


def _written(root: etree._Element) -> bytes:
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def _expires(told: Told, issuer: Issuer) -> datetime | None:
    if not told.stands:
        return told.sent + _ENDED
    return told.sent + timedelta(days=issuer.expires_days) if issuer.expires_days else None


def _put(parent: etree._Element, name: str, words: str) -> None:
    etree.SubElement(parent, _tag(name)).text = text(words)


def _named(parent: etree._Element, name: str, value_name: str, value: str) -> None:
    one = etree.SubElement(parent, _tag(name))
    _put(one, "valueName", value_name)
    _put(one, "value", value)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
