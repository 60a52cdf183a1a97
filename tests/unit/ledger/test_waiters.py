"""Waiting for a position ends when the ledger closes, also for whoever comes a moment too late."""

from __future__ import annotations

import asyncio

import pytest

from services.ledger.bell import Waiters
from services.ledger.ledger import LedgerUnavailable


async def test_who_comes_to_wait_after_the_end_is_told_so() -> None:
    waiters = Waiters()
    waiters.rise(3)
    waiters.send_home()
    await waiters.wait_for(3)
    with pytest.raises(LedgerUnavailable):
        await asyncio.wait_for(waiters.wait_for(4), 5)
