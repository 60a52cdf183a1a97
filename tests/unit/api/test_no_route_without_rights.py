"""No address is served that the table of rights does not know, and none that nobody may use."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from fastapi.routing import APIRoute
from starlette.routing import Route

from services.api.access import ACCESS, OPEN_TO_ALL
from services.api.app import make_app
from services.api.commands import ROUTES
from services.api.custody import POSTS
from services.api.erasing import ERASURES
from services.api.evidence import EVIDENCE
from services.api.office import Office
from services.api.reads.every import READS
from services.api.stream import OPERATION
from services.api.subscribing import ACTS


def _no_office() -> AbstractAsyncContextManager[Office]:
    raise AssertionError("routes are made without an office")


def served() -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in make_app(_no_office).routes
        if isinstance(route, APIRoute | Route)
        for method in set(route.methods or ()) - {"HEAD"}
    }


def known() -> dict[tuple[str, str], str]:
    """Every address that needs a token, by what it is granted as."""
    return {
        **{("POST", route.address): route.operation for route in ROUTES},
        **{("POST", post.address): post.operation for post in (*POSTS, *ERASURES, *EVIDENCE, *ACTS)},
        **{("GET", read.pattern): read.operation for read in READS},
        ("GET", "/v1/alerts/stream"): OPERATION,
    }


def test_every_address_is_in_the_table_or_open_to_all() -> None:
    assert served() == known().keys() | {("GET", address) for address in OPEN_TO_ALL}


def test_every_operation_of_an_address_is_granted_to_somebody() -> None:
    assert all(ACCESS[operation] for operation in known().values())


def test_every_grant_is_of_an_address() -> None:
    assert ACCESS.keys() - {*known().values()} == {"read.level-reasons"}


def test_what_is_open_to_all_says_nothing_of_anybody() -> None:
    assert not any(address.startswith("/v1/") for address in OPEN_TO_ALL)
