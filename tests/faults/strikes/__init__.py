"""What the nemesis may do; one file a family of faults."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Protocol

from tests.faults.world import World


class Strike(Protocol):
    """One fault. It returns what it did when that is over, for the history; the nemesis then mends what is left to
    a person to mend (`World.stand_up`) and waits until all is well."""

    @property
    def name(self) -> str: ...

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]: ...


def every() -> tuple[Strike, ...]:
    """All strikes of all families."""
    from tests.faults.strikes import processes

    return processes.STRIKES
