"""What the system said by itself: levels in unbroken steps that the table holds as well, nothing twice.

Which level a unit should have, and which alerts follow from it, is computed anew in `levels`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg

from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row

HISTORY = """
select engine, unit, before, after, cause, effective_at from alert_level.alert_level_history
order by engine, unit, number
"""

OVERDUE = ("level.response_overdue", "level.response_escalated")


def judge(rows: Sequence[Row], history: Sequence[asyncpg.Record], found: Findings) -> None:
    """Look at levels, alerts, ticks and overdue answers."""
    _levels(rows, history, found)
    _once(rows, found)


def _levels(rows: Sequence[Row], history: Sequence[asyncpg.Record], found: Findings) -> None:
    said: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    level: dict[str, int] = {}
    for row in rows:
        if row.type != "level.level_changed":
            continue
        data = row.wire["data"]
        unit = data["unit"]
        if data["from"] != level.get(unit, 0) or data["to"] == data["from"]:
            found.add(
                "level_steps_broken",
                f"{unit} is said to go from {data['from']} to {data['to']} and stood at {level.get(unit, 0)}.",
                row.position,
            )
        level[unit] = data["to"]
        if data["cause"] != "engine":
            step = (data["from"], data["to"], data["cause"], data["effective_at"])
            said.setdefault((row.wire["engine"], unit), []).append(step)
    held: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    for one in history:
        held.setdefault((one[0], one[1]), []).append(tuple(one)[2:])
    for who in sorted(said.keys() | held.keys()):
        wanted, told = held.get(who, []), said.get(who, [])
        if told != wanted[len(wanted) - len(told) :] or (not told and wanted):
            found.add("level_differs", f"{who[1]}: {len(told)} changes were said, the table has {len(wanted)}: {told}.")


def _once(rows: Sequence[Row], found: Findings) -> None:
    overdue = Counter(
        tuple(row.wire["data"].get(name) for name in ("case_id", "referral_id", "awaited", "step", "rung"))
        for row in rows
        if row.type in OVERDUE
    )
    for what, count in overdue.items():
        if count > 1:
            found.add("overdue_told_twice", f"{what} was told {count} times.")
    for row in rows:
        if row.type == "clock.ticked" and row.home != "*":
            found.add("tick_not_for_everybody", f"The tick at {row.position} went to {row.home} alone.", row.position)
