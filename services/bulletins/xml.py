"""Making and judging XML: what may stand in it, and whether a CAP document is one, by the schema of OASIS."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lxml import etree

XSD = Path(__file__).parent / "oasis" / "CAP-v1.2.xsd"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotValid(Exception):
    """A document that the schema refuses: a fault of ours, and nobody is sent it."""


def text(words: str) -> str:
    """Words with a mark in place of each character that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", words)


def parser() -> etree.XMLParser:
    """Reads XML of others: no entities are resolved, nothing is fetched, nothing huge is taken."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(XSD, parser()))


def refuse_invalid(alert: etree._Element) -> None:
    """Raises NotValid for what is no CAP 1.2 by its schema."""
    schema = _schema()
    if not schema.validate(alert):
        raise NotValid(str(schema.error_log.last_error.message))
