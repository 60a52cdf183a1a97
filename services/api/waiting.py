"""`?wait=published|projected`: a caller may wait, not for ever, until what they wrote is on Kafka or can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum

from starlette.requests import Request

from events.vocabulary import EVERY_HOME
from services.api.office import Office
from services.api.problems import BAD_PARAMETER, Refused
from services.ledger.ledger import LedgerError
from services.log.partition import partition_of

PARAMETERS = ("wait", "wait_seconds")
DEFAULT_SECONDS = 10.0
MOST_SECONDS = 30.0
LOOK_SECONDS = 0.01


class Until(StrEnum):
    PUBLISHED = "published"
    PROJECTED = "projected"


def asked(request: Request) -> tuple[Until, float] | None:
    """For what, and how long, the caller would wait; raises Refused, also for a parameter that no command takes."""
    if not request.scope["query_string"]:
        return None
    if request.query_params.keys() - {*PARAMETERS}:
        raise Refused(BAD_PARAMETER, f"The address: expected no parameters but {', '.join(PARAMETERS)}; correct them.")
    until = request.query_params.get("wait")
    if until is None:
        return None
    if until not in list(Until):
        raise Refused(BAD_PARAMETER, "wait: expected published or projected; choose one or leave it out.")
    text = request.query_params.get("wait_seconds", str(DEFAULT_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_SECONDS:
        raise Refused(BAD_PARAMETER, f"wait_seconds: expected 0 to {MOST_SECONDS:.0f}; correct it or leave it out.")
    return Until(until), seconds


async def wait(office: Office, position: int, home: str, until: Until, seconds: float) -> bool:
    """Whether it came so far in this time."""
    if until is Until.PUBLISHED:
        return await office.published.wait_for(position, seconds)
    try:
        async with asyncio.timeout(seconds):
            while not await is_projected(office, position, home):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        return False
    return True


async def is_projected(office: Office, position: int, home: str) -> bool:
    """Whether every live projection has folded a position of this home, wherever it goes."""
    return await office.projections.folded(*partitions_of(office, home)) >= position


def partitions_of(office: Office, home: str) -> Sequence[int]:
    """Where an event of this home goes."""
    return range(office.partitions) if home == EVERY_HOME else (partition_of(home, office.partitions),)


async def is_published(office: Office, position: int) -> bool:
    try:
        return await office.published.position() >= position
    except LedgerError:
        return False
