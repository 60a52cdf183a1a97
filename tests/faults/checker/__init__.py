"""Judges a run of faults by what it left behind: the history of what was sent, the ledger, the topics, the tables.

It imports nothing of ours, so that a fault of ours cannot hide from it: positions, bytes, partitions, chains, streams,
levels, alerts, overdue answers, the timeline, what the board lists, what waits and how referrals stand are worked out
here from what is published (schemas/README.md), from the design and from the pages that define them. Whether every
table, to its last field, is what the log makes of it is asked of `intabaza replay --diff` besides, a command that folds
the topic anew with the code of the live one. Where the product can do what is not worked out here (another engine, a
key that waits for a person), that is not judged, and is said.

    python -m tests.faults.checker --history FILE --ledger DSN --kafka BOOTSTRAP
        [--faults N] [--acknowledged N] [--webhooks N]

Findings go to standard output, one JSON object a line with a stable `code`. Exit status: 0 nothing was found, 1
something was, 2 nothing was and something could not be judged; what, stands in a sentence on standard error.
"""
