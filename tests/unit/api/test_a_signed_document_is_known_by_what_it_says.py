"""Two signatures of one document differ, so its ETag goes by what was signed, and changes wherever that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request

from projections.alert_level.rules import Rules
from services.api.office import Asking, Office
from services.api.reading import Asked, Reply
from services.api.reads.bulletins import alert_as_cap
from services.bulletins import cap
from services.bulletins.history import SQL, Row
from services.bulletins.issuer import Issuer
from services.bulletins.shapes import Boundaries
from services.bulletins.signing import Signer
from tests.support.bulletins import ISSUER
from tests.support.ledgers import an_alert
from tests.support.levels import FIRST_RULES

UNIT = "bi:c2015:gihanga"
RULES = {"0" * 64: Rules(FIRST_RULES)}
(APPEND,) = an_alert(UNIT).appends
(ENTRY,) = APPEND.entries
SIGNED = replace(ISSUER, signer=Signer(ec.generate_private_key(ec.SECP256R1())))
RING = [[29.0, -4.0], [30.0, -4.0], [30.0, -3.0], [29.0, -4.0]]


@dataclass
class AnOffice:
    """As much of the API as a document is made from."""

    issuer: Issuer = SIGNED
    boundaries: Boundaries = field(default_factory=Boundaries)

    async def answers(self) -> Reply:
        office = SimpleNamespace(
            issuer=self.issuer,
            boundaries=self.boundaries,
            projections=SimpleNamespace(fetch=self._fetch),
            ledger=None,
            rules=RULES,
            feed=SimpleNamespace(head=9),
        )
        path = {"alert_id": str(ENTRY.event_id)}
        request = Request({"type": "http", "method": "GET", "path": "/", "path_params": path, "headers": []})
        return await alert_as_cap(Asked(cast(Office, office), cast(Asking, None), request))

    async def _fetch(self, query: str, *_: object) -> Sequence[Row]:
        assert query == SQL["one"]
        row: dict[str, Any] = {
            "position": 7, "stream": APPEND.stream, "version": 1, "event_id": ENTRY.event_id, "type": ENTRY.type,
            "home": APPEND.home, "recorded_at": datetime(2026, 5, 20, tzinfo=UTC), "command_id": ENTRY.event_id,
            "command_mac": b"", "body": ENTRY.body, "splice_version": 1, "earlier_in_its_hour": 0,
        }  # fmt: skip
        return [row]


async def test_signed_anew_it_is_the_same_document() -> None:
    office = AnOffice()
    first, again = await office.answers(), await office.answers()
    assert first.document != again.document
    assert first.etag == again.etag is not None


async def test_it_is_another_one_by_another_key_or_other_settings_or_other_boundaries() -> None:
    shape = {"type": "Polygon", "coordinates": [RING]}
    others = [
        AnOffice(),
        AnOffice(replace(SIGNED, signer=Signer(ec.generate_private_key(ec.SECP256R1())))),
        AnOffice(replace(SIGNED, expires_days=3)),
        AnOffice(boundaries=Boundaries({UNIT: shape})),
    ]
    assert len({(await office.answers()).etag for office in others}) == len(others)


async def test_it_is_another_one_where_the_sentences_of_a_language_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = (await AnOffice().answers()).etag
    monkeypatch.setattr(cap, "headline", lambda *_, **__: "Another sentence.")
    assert (await AnOffice().answers()).etag != before


async def test_one_that_is_not_signed_is_known_by_its_bytes() -> None:
    assert (await AnOffice(ISSUER).answers()).etag is None
