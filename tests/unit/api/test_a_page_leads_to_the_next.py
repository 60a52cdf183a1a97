"""The key after which a page ends comes back from its cursor as it was, whatever the database's driver made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from asyncpg.pgproto import pgproto
from starlette.requests import Request

from events.vocabulary import Role
from services.api.office import Asking, Office
from services.api.reading import INFINITY, Asked

REFERRAL = uuid4()


def asked(query: str = "") -> Asked:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/v1/referrals", "headers": []}
    request = Request(scope | {"query_string": query.encode(), "server": ("there", 80)})
    asking = SimpleNamespace(bearer=SimpleNamespace(role=Role.COORDINATOR))
    return Asked(cast(Office, None), cast(Asking, asking), request)


def test_a_key_with_an_id_of_the_databases_driver() -> None:
    due = datetime(2015, 5, 1, 6, 30, tzinfo=UTC)
    address = asked().next_page([due, "case/1", pgproto.UUID(str(REFERRAL))])
    assert asked(urlsplit(address).query).cursor(datetime, str, UUID) == [due, "case/1", REFERRAL]


def test_a_key_of_what_has_no_deadline() -> None:
    address = asked().next_page([INFINITY, "case/1", pgproto.UUID(str(REFERRAL))])
    assert asked(urlsplit(address).query).cursor(datetime, str, UUID) == [INFINITY, "case/1", REFERRAL]
