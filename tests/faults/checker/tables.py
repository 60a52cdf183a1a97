"""Projections folded anew from the ledger's rows: the timeline, what the board lists, what waits, who owes an answer.

A second opinion beside `intabaza replay --diff`, which folds with the code that filled the tables: that one says that
replay and live agree, to the last field, this one that both are what the events say. The board's own deadlines, and
what a projection keeps for itself to go on from, are left to the replay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from tests.faults.checker import deadlines
from tests.faults.checker.deadlines import Deadlines
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.waiting import waiting

READ = {
    "timeline": """
        select position, stream, version, type, recorded_at, role, actor::text as actor, data
        from case_timeline.case_timeline_event order by position""",
    "ties": """
        select position, stream, kind, other, holds from case_timeline.case_timeline_link order by position""",
    "board": """
        select stream, home, unit, kind, stage, on_the_board, provisional, severity, verification_state, merged_into
        from case_board.case_board order by stream""",
    "fallen": """
        select report_id::text as report_id, how, fell_at from case_board.case_board_fallen order by report_id""",
    "queue": """
        select stream, what, subject, whom, since, due, home, unit, kind, urgent, round, grades, agreeing,
            graded_by::text[] as graded_by, recused::text[] as recused
        from review_queue.review_queue order by stream, what, subject""",
    "referrals": """
        select stream, referral_id::text as referral_id, recipient, purpose, state, is_open, unit, home, referred_at,
            state_since, acknowledge_by, act_by, next_due, overdue_since, outcome, successful, reason, contradicted,
            follows::text as follows
        from referral_board.referral_board order by stream, referral_id::text""",
    "gaps": """
        select stream, awaited, subject, step, unit, home, due, answered_at, answered_by, rung, tell, rung_due,
            next_tell, next_due
        from referral_board.referral_board_gap order by stream, awaited, subject, step""",
}

Held = dict[str, list[tuple[Any, ...]]]


async def read(connection: asyncpg.Connection[asyncpg.Record]) -> Held:
    """The rows of each table, in order of its key."""
    held = {name: [tuple(row) for row in await connection.fetch(query)] for name, query in READ.items()}
    held["timeline"] = [(*row[:-1], json.loads(row[-1])) for row in held["timeline"]]
    return held


def judge(table: str, own: Sequence[tuple[Any, ...]], held: Held, found: Findings) -> None:
    """A table against the rows that the ledger makes of it."""
    theirs = held[table]
    if len(own) != len(theirs):
        found.add("projection_differs", f"{table} has {len(theirs)} rows, and folded anew {len(own)}.")
    for one, other in zip(own, theirs, strict=False):
        if one != other:
            position = one[0] if isinstance(one[0], int) else None
            found.add("projection_differs", f"{table} holds {other}, and folded anew it is {one}.", position)
            break


def judge_referrals(owed: Deadlines, held: Held, found: Findings) -> None:
    """Both tables of the referral board."""
    judge("referrals", deadlines.board(owed), held, found)
    judge("gaps", deadlines.gaps(owed), held, found)


def _of(rows: Iterable[Row], *nouns: str) -> list[Row]:
    return [row for row in rows if row.stream.startswith(nouns)]


def _timeline(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Every event of a case or a report."""
    return [
        (
            row.position,
            row.stream,
            row.version,
            row.type,
            row.recorded_at,
            row.wire["actorrole"],
            row.wire["actorref"],
            row.wire["data"],
        )
        for row in _of(rows, "case/", "report/")
    ]


def _ties(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Which stream belongs to which: a case tells whom it linked or absorbed, a report what it was before."""
    ties: list[tuple[Any, ...]] = []
    for row in _of(rows, "case/", "report/"):
        data = row.wire["data"]
        match row.type:
            case "case.report_linked" | "case.report_unlinked":
                holds = row.type == "case.report_linked"
                ties.append((row.position, row.stream, "report", f"report/{data['report_id']}", holds))
            case "case.merged" | "case.merge_reversed" if "absorbed" in data:
                holds = row.type == "case.merged"
                ties.append((row.position, row.stream, "absorbed", f"case/{data['absorbed']}", holds))
            case "report.received" if data.get("carried"):
                earlier = data["carried"]["supersedes"]
                ties.append((row.position, row.stream, "earlier", f"report/{earlier}", True))
    return ties


def _board(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """How each case stands."""
    cases: dict[str, dict[str, Any]] = {}
    for row in _of(rows, "case/"):
        data = row.wire["data"]
        case = cases.setdefault(row.stream, {})
        match row.type:
            case "case.opened":
                case |= {"home": row.home, "unit": data["place"]["unit"], "kind": data["kind"], "stage": "open"}
                case |= {"provisional": data["provisional"], "severity": data.get("severity")}
            case "case.ratified":
                case["provisional"] = False
            case "case.not_ratified":
                case |= {"provisional": False, "stage": "not_ratified"}
            case "case.classified":
                case["kind"] = data["kind"]
            case "case.assessed":
                case |= {"severity": data["severity"], "verification": data["verification_state"]}
            case "case.merged" if "into" in data:
                case["merged_into"] = f"case/{data['into']}"
            case "case.merge_reversed" if "into" in data:
                case["merged_into"] = None
            case "case.resolved":
                case["stage"] = "resolved"
            case "case.reopened":
                case["stage"] = "open"
            case "case.closed":
                case["stage"] = "closed"
    return [
        (
            stream,
            case["home"],
            case["unit"],
            case["kind"],
            case["stage"],
            case["stage"] in ("open", "resolved") and case.get("merged_into") is None,
            case["provisional"],
            case["severity"],
            case.get("verification"),
            case.get("merged_into"),
        )
        for stream, case in sorted(cases.items())
    ]


def _fallen(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Reports that were withdrawn or received again elsewhere."""
    fell = {
        row.stream.removeprefix("report/"): (row.type.removeprefix("report."), row.recorded_at)
        for row in rows
        if row.type in ("report.withdrawn", "report.superseded")
    }
    return [(report, *how) for report, how in sorted(fell.items())]


FOLDS: Mapping[str, tuple[str, Callable[[Sequence[Row]], list[tuple[Any, ...]]]]] = {
    "timeline": ("case_timeline", _timeline),
    "ties": ("case_timeline", _ties),
    "board": ("case_board", _board),
    "fallen": ("case_board", _fallen),
    "queue": ("review_queue", waiting),
}
"""Each table that follows from the events of its streams alone, with its projection."""
