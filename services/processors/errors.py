"""What a processor cannot go on from.

Again           everything in memory of a partition is thrown away and read anew; nothing is lost
├── Superseded  the watermark is not what was folded from: another worker, a swap or a lost answer
└── Refused     the ledger does not take derived events now (its door is shut, a clock is doubtful)
Halt            the worker stops and says why
├── Contradiction  a derived event is in the ledger with other content, or can never be appended
├── OtherVersion   the rows were made by another version of the projection
├── Unreadable     a record of our chain is no event, or a broadcast of ours cannot be folded
├── Unwritable     Postgres refuses rows for what they are
├── NotSwapped     (rebuild) rebuilt rows cannot take the live ones' place
└── ChainBroken    (chain) a partition does not continue its own chain
"""

from __future__ import annotations

import asyncpg

from services.log.topic import TopicAbsent


class Again(Exception):
    """What a partition has in memory is of no use; read it anew."""


class Superseded(Again):
    """The watermark has been moved by somebody else, or by a commit whose answer was lost."""


class Refused(Again):
    """The ledger does not take derived events now."""


class Halt(Exception):
    """The worker stops; a person has to look."""


class Contradiction(Halt):
    """A derived event is in the ledger with other content, or can never be appended."""


class OtherVersion(Halt):
    """The rows were made by another version of the projection."""


class Unreadable(Halt):
    """A record that is in our chain is no event of ours, or a broadcast that cannot be folded."""


class Unwritable(Halt):
    """Postgres refuses rows for what they are: trying again would not help."""


_NEVER_PASSES = ("22", "23", "42")
"""Classes of SQLSTATE: a value that a column does not take, a constraint, a statement or a right that is not there."""


def unwritable(error: BaseException) -> Unwritable | None:
    """The halt for an answer of Postgres that would be the same the next time."""
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, asyncpg.DataError) or state[:2] in _NEVER_PASSES:
        return Unwritable(
            f"PostgreSQL refuses what a projection writes ({named(error)}): the program and its tables do not "
            "fit; run the release that made them, or `intabaza rebuild` the projection with this one"
        )
    return None


def named(error: BaseException) -> str:
    """An error without what it quotes: messages of databases and of folds may hold what is confidential."""
    state = getattr(error, "sqlstate", None)
    if isinstance(error, Again | Halt | TopicAbsent):
        return str(error)
    return type(error).__name__ + (f" {state}" if state else "")
