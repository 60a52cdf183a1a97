"""Whatever is sent within and beside the description is answered as it says, and never by a fault of ours.

INTABAZA_API_EXAMPLES says how much is sent to each operation; few where it is left out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from events.vocabulary import Role
from services.api.access import ACCESS
from services.api.commands import ROUTES
from services.api.custody import POSTS
from services.api.erasing import ERASURES
from services.api.evidence import EVIDENCE
from services.api.reads.every import READS
from services.api.stream import OPERATION
from services.api.subscribing import ACTS
from tests.support.documented import description
from tests.support.doors import (
    ADMIN,
    ALINE,
    AUDITOR,
    BEDE,
    CONSUMER,
    CUSTODIAN,
    FABIEN,
    HILAIRE,
    ODILE,
    Caller,
    Doors,
    open_doors,
)
from tests.support.story_by_http import Telling, tell

EXAMPLES = int(os.environ.get("INTABAZA_API_EXAMPLES", "2"))  # noqa: TID251 - how long a test takes is no setting of ours
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = {caller.role: caller for caller in (CONSUMER, AUDITOR, CUSTODIAN, ADMIN, HILAIRE, ALINE, BEDE, ODILE, FABIEN)}
GRANTED_AS = {
    **{route.operation: route.operation for route in ROUTES},
    **{read.name: read.operation for read in READS},
    **{post.name: post.operation for post in POSTS},
    **{act.operation: act.operation for act in (*ERASURES, *EVIDENCE, *ACTS)},
}


def who_may(operation_id: str, which: int) -> Caller | None:
    """One of those whose role is granted it."""
    roles: list[Role] = [role for role in CALLERS if role in ACCESS.get(GRANTED_AS.get(operation_id, ""), {})]
    return CALLERS[roles[which % len(roles)]] if roles else None


described = schemathesis.openapi.from_dict(description()).exclude(operation_id="alert_stream")
described.config.phases.coverage.unexpected_methods = set()


@pytest.fixture(scope="module")
async def told_doors() -> AsyncIterator[tuple[Doors, dict[str, str]]]:
    """A network in which everything has happened, and ids of what is there."""
    async with open_doors(INTABAZA_API_REQUESTS_PER_SECOND="0") as doors:
        telling = Telling(doors)
        await tell(telling)
        ids: dict[str, str] = {}
        for deed in telling.deeds:
            told = deed.answer.json()
            ids |= {f"{thing}_id": told[f"{thing}_id"] for thing in deed.route.makes}
        assert OPERATION in ACCESS
        ids |= {"alert_id": str((await doors.until_alerts())[0]["id"])}
        yield doors, ids | {"unit": "bi:c2015:gihanga", "recipient": "community-police-gihanga", "position": "1"}


@described.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_is_answered_as_described(case: Any, told_doors: tuple[Doors, dict[str, str]]) -> None:
    doors, ids = told_doors
    which = crc32(repr((case.body, case.query)).encode())
    if which % 3:
        case.path_parameters = {name: ids.get(name, value) for name, value in case.path_parameters.items()}
    caller = who_may(case.operation.definition.raw["operationId"], which)
    response = case.call(base_url=doors.address, headers=doors.authorization(caller))
    case.validate_response(response, checks=CHECKS)
