"""Bulletins a second, in one process and from the event on: CAP documents against lxml's reading of the same document.

Contenders go over the same alerts in turns, so what else happens on the machine meets all alike; CPU time is counted.
What lxml does is the least that a document can cost that is checked by the schema: read it, validate it, write it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from services.bulletins.atom import atom
from services.bulletins.cap import cap
from services.bulletins.features import alert_feature
from services.bulletins.issuer import Issuer
from services.bulletins.signing import Signer
from services.bulletins.table import lines
from services.bulletins.xml import parser, refuse_invalid
from services.words.languages import language
from tests.support.bulletins import ISSUER, Link, chain

ALERTS = 500
BATCH = 50
LEVELS = (3, 4, 3, 2, 4, 1, 3, 1)


def compare(rounds: int) -> None:
    """Print how many of each a second of CPU, and what lxml alone needs for a document."""
    links = (chain(LEVELS) * ALERTS)[:ALERTS]
    documents = {id(link): cap(link.told, link.earlier, ISSUER) for link in links}
    signer = Signer(ec.generate_private_key(ec.SECP256R1()))
    signing = Issuer(ISSUER.sender, ISSUER.sender_name, ISSUER.zone, restriction=ISSUER.restriction, signer=signer)
    english = language("en")
    contenders: Mapping[str, Callable[[list[Link]], object]] = {
        "lxml reads, validates and writes a document": lambda batch: [_bare(documents[id(link)]) for link in batch],
        "CAP document, four languages": lambda batch: [cap(link.told, link.earlier, ISSUER) for link in batch],
        "the same, signed": lambda batch: [cap(link.told, link.earlier, signing) for link in batch],
        "CAP document, one language": lambda batch: [
            cap(link.told, link.earlier, ISSUER, languages=("en",)) for link in batch
        ],
        "entry of the feed": lambda batch: atom([link.told for link in batch], {}, ISSUER, english),
        "feature of GeoJSON": lambda batch: [alert_feature(link.told, lambda *_: None) for link in batch],
        "line of CSV": lambda batch: lines(link.told for link in batch),
    }
    spent = dict.fromkeys(contenders, 0.0)
    for _ in range(rounds):
        for begin in range(0, ALERTS, BATCH):
            batch = links[begin : begin + BATCH]
            for name, contender in contenders.items():
                began = time.process_time()
                contender(batch)
                spent[name] += time.process_time() - began
    least = spent["lxml reads, validates and writes a document"]
    size = sum(map(len, documents.values())) / len(documents)
    print(f"{ALERTS * rounds:,} alerts, documents of {size:,.0f} bytes; a second of CPU, and µs each")
    for name, seconds in spent.items():
        each = seconds / (ALERTS * rounds)
        print(f"  {name:44} {1 / each:10,.0f}/s  {each * 1e6:8.1f}  {seconds / least:6.2f}")


def _bare(document: bytes) -> bytes:
    root = etree.fromstring(document, parser())
    refuse_invalid(root)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written
