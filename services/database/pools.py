"""How our pools give connections back."""

from __future__ import annotations

from typing import Any


async def as_it_was(connection: Any) -> None:
    """Nothing of ours outlives its transaction in a session, so asyncpg's own resetting is a round trip for nothing.

    What a broken transaction leaves is rolled back by the pool in any case.
    """
