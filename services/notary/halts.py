"""Why the notary signs nothing more until a person has looked: each a sentence that says what to do.

Halt
├── Differs       the ledger does not lead to what was signed of it
├── NoCheckpoint  what is recorded as a checkpoint is none
└── Shortened     the ledger ends before what was signed of it
"""

from __future__ import annotations

from services.local_problem import LocalProblem

LOOK = (
    "nothing more is signed. `intabaza audit verify` names the first position that is not what it was; "
    "`intabaza ledger restore` completes a ledger that lost events. Then `intabaza restart notary`"
)


class Halt(LocalProblem):
    """The notary stops and says why."""


class Differs(Halt):
    """A recorded checkpoint is not what the ledger's events lead to."""

    def __init__(self, size: int, position: int) -> None:
        super().__init__(
            f"the checkpoint of size {size} at position {position} has another root than the ledger's first {size} "
            f"events: they, or it, were altered, and {LOOK}"
        )


class NoCheckpoint(Halt):
    """An event of a checkpoint does not hold one, or one that states something else than the event."""

    def __init__(self, position: int) -> None:
        super().__init__(
            f"position {position} records as a checkpoint what is none, or states another one: it was altered, and "
            f"{LOOK}"
        )


class Shortened(Halt):
    """The ledger has fewer events than were signed."""

    def __init__(self, size: int, signed: int) -> None:
        super().__init__(f"{signed} events were signed, and the ledger lacks position {size + 1}: {LOOK}")
