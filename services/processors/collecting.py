"""Python looks for circles of dead objects each time that 700 more containers live; a batch of events has thousands.

None of them is in a circle, so what is found is nothing, and looking took a third of a processor's time.
"""

from __future__ import annotations

import gc

CONTAINERS = 50_000
"""More than a batch holds, so that a batch comes and goes between two looks."""


def collect_rarely() -> None:
    """Look for circles once in many batches, and never again among what the program itself is made of."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(CONTAINERS, 20, 10)
