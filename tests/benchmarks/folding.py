"""Folding in memory, from bytes on, against pydantic's reading of the same bytes: no server takes part.

Both go over the same batches in turns, so what else happens on the machine meets both alike. A batch's states are kept,
as a processor keeps them that need not load any; what is counted is CPU time. Garbage is looked for between batches,
as a processor does it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from events.catalogue import read
from projections.live import LIVE
from projections.part import Part
from projections.taken import take
from tests.support.crisis import crisis

BATCH = 10_000


def compare(events: int) -> None:
    """Print what each costs, in CPU µs an event, and the ratio."""
    parts = {one.name: Part(one.fold) for one in LIVE}
    spent = dict.fromkeys(["pydantic reads", "decoded once", *parts], 0.0)
    folded = 0
    gc.disable()
    for batch in _batches(events):
        gc.collect(1)
        began = time.process_time()
        for wire in batch:
            read(wire)
        spent["pydantic reads"] += time.process_time() - began
        began = time.process_time()
        taken = [take(wire) for wire in batch]
        spent["decoded once"] += time.process_time() - began
        for name, part in parts.items():
            began = time.process_time()
            part.hold(part.wants(taken), {})
            part.take(taken)
            spent[name] += time.process_time() - began
        folded += len(batch)
    gc.enable()
    measure = spent["pydantic reads"]
    print(f"{folded:,} events folded in memory, from their bytes on; CPU µs an event")
    for name, seconds in spent.items():
        print(f"  {name:16} {seconds / folded * 1e6:6.2f}  {seconds / measure:5.2f}")
    level = spent["decoded once"] + spent["alert_level"]
    everything = sum(spent.values()) - measure
    print(f"the level, decoded and folded, ÷ pydantic's reading: {level / measure:.2f} (mark: at most 2)")
    print(f"all {len(parts)} projections, decoded once, ÷ pydantic's reading: {everything / measure:.2f}")


def _batches(events: int) -> Iterator[Sequence[bytes]]:
    wires = (event.wire() for event in crisis(events, reference=True, per_day=20_000))
    while batch := list(islice(wires, BATCH)):
        yield batch
