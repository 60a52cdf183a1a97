"""What a processor cannot go on from.

Again           everything in memory of a partition is thrown away and read anew; nothing is lost
├── Superseded  the watermark is not what was folded from: another worker, a swap or a lost answer
└── Refused     the ledger does not take derived events now (its door is shut, a clock is doubtful)
Halt            the worker stops and says why
├── Contradiction  a derived event is in the ledger with other content
├── OtherVersion   the rows were made by another version of the projection
├── Unreadable     a record of our chain is no event
└── ChainBroken    (chain) a partition does not continue its own chain
"""

from __future__ import annotations


class Again(Exception):
    """What a partition has in memory is of no use; read it anew."""


class Superseded(Again):
    """The watermark has been moved by somebody else, or by a commit whose answer was lost."""


class Refused(Again):
    """The ledger does not take derived events now."""


class Halt(Exception):
    """The worker stops; a person has to look."""


class Contradiction(Halt):
    """A derived event is in the ledger with other content."""


class OtherVersion(Halt):
    """The rows were made by another version of the projection."""


class Unreadable(Halt):
    """A record that is in our chain is no event of ours."""
