"""How our connections are set up, and how pools give them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BY_KEY: Mapping[str, str] = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}
"""Settings of a session that only looks rows up by their keys.

A statement is planned once in a session, and on an empty table reading all of it looks best. The plan stays while the
table grows, until it happens to be analysed: taking reports in took four times as long after 12,000 of them.
"""


async def as_it_was(connection: Any) -> None:
    """Nothing of ours outlives its transaction in a session, so asyncpg's own resetting is a round trip for nothing.

    What a broken transaction leaves is rolled back by the pool in any case.
    """
