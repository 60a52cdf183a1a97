"""Alerts for tests of bulletins: a chain of one unit as the level speaks of it, and documents read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from events.alert import AlertChange, AlertIssued, Code, KindGroup
from services.bulletins.cap import MOST_REFERENCES, NAMESPACE
from services.bulletins.issuer import Issuer
from services.bulletins.told import Reference, Told, sent_at

BEGINNING = datetime(2026, 5, 20, 6, 30, 7, 123456, tzinfo=UTC)
ISSUER = Issuer("urn:intabaza:test", "A network", ZoneInfo("Africa/Bujumbura"), restriction="For partners.")
_IDS = UUID("00000000-0000-4000-8000-000000000000")
CAP = {"cap": NAMESPACE}


def an_alert(**more: object) -> AlertIssued:
    data: dict[str, object] = {
        "unit": "bi:c2025:bubanza",
        "unit_name": "Bubanza",
        "codes": (Code(scheme="national_code", code="BI-CO-02-01"),),
        "before": 1,
        "after": 3,
        "on": date(2026, 5, 20),
        "kinds": (KindGroup.VIOLENCE_AND_WEAPONS,),
        "rules_hash": "0" * 64,
        "change": AlertChange.RAISED,
    }
    return AlertIssued.model_validate({"from": data.pop("before"), "to": data.pop("after")} | data | _named(more))


def _named(more: dict[str, object]) -> dict[str, object]:
    names = {"before": "from", "after": "to"}
    return {names.get(name, name): value for name, value in more.items()}


def told_of(alert: AlertIssued, number: int = 1, mode: str = "actual", lowest: int = 3) -> Told:
    stands = alert.change != AlertChange.CANCELLED and alert.after >= lowest
    moment = BEGINNING + timedelta(minutes=number)
    return Told(uuid5(_IDS, str(number)), number, mode, sent_at(moment, number), stands, alert)


@dataclass(frozen=True)
class Link:
    """One alert, and those whose place it takes, the latest first."""

    told: Told
    earlier: tuple[Reference, ...]


def chain(levels: Sequence[int], lowest: int = 3, **more: object) -> list[Link]:
    """What is told of one unit whose level goes this way, from 0 on."""
    links: list[Link] = []
    before, standing = 0, tuple[Reference, ...]()
    for after in levels:
        if after == before or (after < lowest and not standing):
            before = after
            continue
        change = AlertChange.RAISED if after > before else AlertChange.LOWERED
        updates = standing[0].alert_id if standing else None
        alert = an_alert(**{"before": before, "after": after, "change": change, "updates": updates} | more)
        told = told_of(alert, len(links) + 1, lowest=lowest)
        links.append(Link(told, standing[:MOST_REFERENCES]))
        standing, before = ((told.reference, *standing) if told.stands else ()), after
    return links


def read_cap(document: bytes) -> etree._Element:
    return etree.fromstring(document)


def said(document: etree._Element, path: str) -> list[str]:
    """The texts at a path of names, under the document."""
    found: Iterable[etree._Element] = document.findall("/".join(f"cap:{name}" for name in path.split("/")), CAP)
    return [one.text or "" for one in found]


@dataclass
class ReaderOfCap:
    """Who takes documents as they come and knows of them what the standard says, and nothing of ours.

    CAP 1.2, section 3.2: an Update supersedes what it refers to, a Cancel cancels it; a document is named by its
    sender, identifier and time of sending; `expires` is when it is in effect no more.
    """

    kept: dict[tuple[str, ...], etree._Element] = field(default_factory=dict)

    def take(self, document: etree._Element) -> None:
        kind, itself = said(document, "msgType")[0], tuple(said(document, name)[0] for name in _NAMED_BY)
        assert itself not in self.kept
        referred = [tuple(one.split(",")) for one in " ".join(said(document, "references")).split()]
        assert bool(referred) == (kind != "Alert")
        for one in referred:
            self.kept.pop(one, None)
        if kind != "Cancel":
            self.kept[itself] = document

    def in_effect(self, at: datetime) -> list[etree._Element]:
        """Which documents are in effect at a moment."""
        return [one for one in self.kept.values() if not any(_is_past(ends, at) for ends in said(one, "info/expires"))]


_NAMED_BY = ("sender", "identifier", "sent")


def _is_past(moment: str, at: datetime) -> bool:
    return datetime.fromisoformat(moment) <= at


def verify_by_xmlsec(document: bytes, key: ec.EllipticCurvePrivateKey) -> None:
    """Fails where another implementation than ours does not verify the signature with this key."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(public, xmlsec.constants.KeyDataFormatPem)
    context.verify(xmlsec.tree.find_node(etree.fromstring(document), xmlsec.constants.NodeSignature))
