"""Judges a run of faults by what it left behind: the history of what was sent, the ledger, the topics, the tables.

It imports nothing of ours, so that a fault of ours cannot hide from it: positions, bytes, partitions, chains, streams,
levels and alerts are worked out here from what is published (schemas/README.md), from the design and from the page that
defines the level; so are the timeline and what the board lists. Whether every table, to its last field, is what the log
makes of it is asked of `intabaza replay --diff`, a command that folds the topic anew with the code of the live one: of
the queue, the referrals and what is overdue it alone speaks.

    python -m tests.faults.checker --history FILE --ledger DSN --kafka BOOTSTRAP [--faults N] [--acknowledged N]

Findings go to standard output, one JSON object a line with a stable `code`. Exit status: 0 nothing was found, 1
something was, 2 nothing was and something could not be judged; what, stands in a sentence on standard error.
"""
