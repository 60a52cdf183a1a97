"""Judges what a run left behind, part by part: one that cannot be judged keeps nobody from the others."""

from __future__ import annotations

from tests.faults.checker import (
    checkpoints,
    coverage,
    deadlines,
    history,
    ledger,
    levels,
    readable,
    said,
    signs,
    silences,
    tables,
    topics,
    webhooks,
)
from tests.faults.checker.findings import Findings
from tests.faults.checker.left import Left
from tests.faults.checker.readable import folded_by


def judge(
    left: Left, found: Findings, *, faults: int, acknowledged: int, least_webhooks: int = 0, least_signs: int = 0
) -> dict[str, int]:
    """Everything but the replays; returns how many records were repeats, how many foreign, and how many signs of life
    outlived a fault."""
    rows, past = left.rows, left.past
    counts = {"repeats": 0, "foreign": 0, "signs": 0}
    with found.judging("the history"):
        history.judge(past, found, faults=faults, acknowledged=acknowledged)
    with found.judging("the ledger"):
        ledger.judge(rows, past, found)
    with found.judging("the topics"):
        counts |= topics.judge(left.topics, rows, past, found)
    with found.judging("what the notary signed"):
        checkpoints.judge(rows, left.topics, past, found)
    with found.judging("what the system says by itself"):
        said.judge(rows, left.levels, found)
    with found.judging("what came by webhook"):
        webhooks.judge(rows, past, found, least=least_webhooks)
    with found.judging("signs of life"):
        counts["signs"] = signs.judge(rows, past, left.signs_held, found, least=least_signs)
    with found.judging("what no projection can take"):
        readable.judge(left, found)
    with found.judging("the levels"):
        levels.judge(folded_by(left, "alert_level"), rows, found)
    with found.judging("who watches"):
        coverage.judge(folded_by(left, "coverage"), rows, found)
    with found.judging("the silences"):
        silences.judge(folded_by(left, "silences"), rows, found)
    with found.judging("overdue answers"):
        owed = deadlines.of(folded_by(left, "referral_board"))
        deadlines.judge(owed, rows, found)
        tables.judge_referrals(owed, left.held, found)
    for table, (projection, fold) in tables.FOLDS.items():
        with found.judging(f"the table {table}"):
            tables.judge(table, fold(folded_by(left, projection)), left.held, found)
    return counts
