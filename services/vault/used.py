"""What may be used once: approvals. Whoever was faster has used them, in whichever process."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

import asyncpg

from services.vault.connection import QUERIES, answers
from services.vault.refused import ApprovalUsed


class UsedOnce(Protocol):
    """Remembers for ever what was used."""

    async def use_up(self, approval_ids: Collection[UUID]) -> None:
        """Use all of these, or none; raises ApprovalUsed where one was used before."""
        ...


class UsedApprovals:
    """UsedOnce on a pool of the role intabaza_vault."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def use_up(self, approval_ids: Collection[UUID]) -> None:
        async with answers("use up approvals"):
            try:
                await self._pool.execute(QUERIES["use_up"], list(approval_ids))
            except asyncpg.UniqueViolationError:
                raise ApprovalUsed from None


class UsedInMemory:
    """UsedOnce of one process, for tests of pure code."""

    def __init__(self) -> None:
        self._used: set[UUID] = set()

    async def use_up(self, approval_ids: Collection[UUID]) -> None:
        if self._used & set(approval_ids):
            raise ApprovalUsed
        self._used |= set(approval_ids)
