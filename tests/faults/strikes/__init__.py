"""What the nemesis may do; one file a family of faults."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Protocol

from tests.faults.world import World


class Strike(Protocol):
    """One fault. It returns what it did when that is over, for the history; the nemesis then mends what is left to
    a person to mend (`World.stand_up`) and waits until all is well.

    Under `put` it tells which records it put on a topic, under `wrote` which events it brought into the ledger.
    """

    @property
    def name(self) -> str: ...

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, Any]: ...


def every() -> tuple[Strike, ...]:
    """All strikes of all families."""
    from tests.faults.strikes import (
        keys,
        network,
        notary,
        processes,
        records,
        rewriting,
        rules,
        storage,
        webhooks,
        workers,
    )

    return (
        *processes.STRIKES,
        *network.STRIKES,
        *records.STRIKES,
        *storage.STRIKES,
        *workers.STRIKES,
        *keys.STRIKES,
        *rules.STRIKES,
        *rewriting.STRIKES,
        *webhooks.STRIKES,
        *notary.STRIKES,
    )
