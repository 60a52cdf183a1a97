"""What waits for whom and since when, read off each stream as a whole: the rules of projections/review_queue.

A report waits to be graded, to be concluded once somebody graded it, to be placed, to be dated; a case to be ratified
and to be assessed, anew where its evidence is newer than its assessment; a completed referral for somebody to look at
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.faults.checker.ledger import Row
from tests.faults.checker.referrals import Referral, follow

REVIEWER, COORDINATOR = "reviewer", "coordinator"
Thing = tuple[Any, ...]
"""Stream, what, subject, whom, since, due, home, unit, kind, urgent, round, grades, agreeing, graded by, recused."""


def waiting(rows: Sequence[Row]) -> list[Thing]:
    """Everything that waits, in order of the queue's key."""
    streams: dict[str, list[Row]] = {}
    for row in rows:
        if row.stream.startswith(("case/", "report/")) and row.wire["mode"] == "actual":
            streams.setdefault(row.stream, []).append(row)
    found: list[Thing] = []
    for stream, its in streams.items():
        of = _of_a_report if stream.startswith("report/") else _of_a_case
        found += [(stream, *thing) for thing in of(its)]
    return sorted(found, key=lambda one: one[:3])


def _last(its: Sequence[Row], *types: str) -> int:
    """Where the last event of these types stands; -1 where there is none."""
    return max((at for at, row in enumerate(its) if row.type in types), default=-1)


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at)


# --- reports ----------------------------------------------------------------------------------------------------------


def _of_a_report(its: Sequence[Row]) -> Iterator[Thing]:
    first = its[0]
    if first.type != "report.received" or _last(its, "report.withdrawn", "report.superseded") >= 0:
        return
    said = dict(first.wire["data"])
    for row in its:
        if row.type == "report.corrected":
            said |= {name: row.wire["data"][name] for name in ("place", "kind", "urgency") if name in row.wire["data"]}
    about = (first.home, said["place"]["unit"], said["kind"], said["urgency"] == "immediate")
    no_grades: Thing = (None, None, None, [], [])
    received, flags = _moment(first.at), said.get("flags", ())
    number, grades, recused = _round(its)
    if number == 1 or grades:
        by = {who: credibility for _, who, credibility in grades}
        agreeing, agreed_at = _agreeing(grades)
        graded: Thing = (number, len(by), agreeing, sorted(by), sorted(recused))
        since = received if number == 1 or not grades else _moment(grades[0][0])
        yield ("grading", "", REVIEWER, since, None, *about, *graded)
        if grades:
            yield ("conclusion", "", REVIEWER, _moment(agreed_at), None, *about, *graded)
    if "unplaced" in flags:
        yield ("placing", "", COORDINATOR, received, None, *about, *no_grades)
    if "clock_doubtful" in flags and _still_doubtful(its):
        yield ("dating", "", COORDINATOR, received, None, *about, *no_grades)


def _round(its: Sequence[Row]) -> tuple[int, list[tuple[str, str, str]], set[str]]:
    """The round that is on: its number, its grades as (when, who, credibility), and who stands aside."""
    over = _last(its, "report.concluded")
    carried = its[0].wire["data"].get("carried") or {}
    number = its[over].wire["data"]["round"] + 1 if over >= 0 else carried.get("round", 1)
    given = [] if over >= 0 else [(its[0].at, one) for one in carried.get("grades") or ()]
    given += [(row.at, row.wire["data"]) for row in its[over + 1 :] if row.type == "report.graded"]
    grades = [(at, one["by"], one["credibility"]) for at, one in given if one["round"] == number]
    recused = set() if over >= 0 else set(carried.get("recused") or ())
    recused |= {row.wire["data"]["by"] for row in its[over + 1 :] if row.type == "report.recused"}
    return number, grades, recused


def _agreeing(grades: Sequence[tuple[str, str, str]]) -> tuple[int, str]:
    """How many agree, and since when it is this many."""
    by: dict[str, str] = {}
    agreeing, since = 0, ""
    for at, who, credibility in grades:
        by[who] = credibility
        if (now := max(Counter(by.values()).values())) != agreeing:
            agreeing, since = now, at
    return agreeing, since


def _still_doubtful(its: Sequence[Row]) -> bool:
    """A clock is in doubt until a correction settles when it happened; no correction brings the doubt back."""
    first = its[0].wire["data"]
    occurred, expected = first.get("occurred"), first.get("expected")
    received_on = first["received_at"][:10]
    for row in its:
        if row.type != "report.corrected":
            continue
        data, emptied = row.wire["data"], row.wire["data"].get("no_longer_stated", ())
        occurred = None if "occurred" in emptied else data.get("occurred", occurred)
        expected = None if "expected" in emptied else data.get("expected", expected)
        late = False
        if occurred is not None and "occurred" not in data:
            ends = [occurred[end] for end in ("from", "to") if occurred.get(end)]
            late = _turned(occurred) or any(day > received_on for day in ends)
        if not late and not _turned(expected):
            return False
    return True


def _turned(dated: Mapping[str, Any] | None) -> bool:
    """Whether it ends before it begins."""
    return bool(dated and dated.get("from") and dated.get("to") and dated["from"] > dated["to"])


# --- cases ------------------------------------------------------------------------------------------------------------


def _of_a_case(its: Sequence[Row]) -> Iterator[Thing]:
    first = its[0]
    if first.type != "case.opened":
        return
    opened = first.wire["data"]
    kinds = [row.wire["data"]["kind"] for row in its if row.type in ("case.opened", "case.classified")]
    about = (first.home, opened["place"]["unit"], kinds[-1], opened["threat_to_life"])
    away = [
        row.type for row in its if "into" in row.wire["data"] and row.type in ("case.merged", "case.merge_reversed")
    ]
    is_merged = bool(away) and away[-1] == "case.merged"
    ratify_by = opened.get("ratify_by")
    if opened["provisional"] and not is_merged and _last(its, "case.ratified", "case.not_ratified") < 0:
        due = None if ratify_by is None else _moment(ratify_by)
        yield ("ratification", "", REVIEWER, _moment(first.at), due, *about, None, None, None, [], [])
    stage = its[_last(its, "case.opened", "case.not_ratified", "case.resolved", "case.reopened", "case.closed")].type
    if stage in ("case.opened", "case.resolved", "case.reopened") and not is_merged:
        assessed = _last(its, "case.assessed")
        if (since := _unassessed_since(its, assessed)) is not None:
            number = 1 + (its[assessed].wire["data"]["round"] if assessed >= 0 else 0)
            yield ("assessment", "", REVIEWER, _moment(since), None, *about, number, None, None, [], [])
    referrals: dict[str, Referral] = {}
    for row in its:
        follow(referrals, row)
    for referral_id, one in referrals.items():
        if one.waits_for_a_look:
            since_then = _moment(one.completed_at or one.since)
            yield ("outcome_check", referral_id, COORDINATOR, since_then, None, *about, None, None, None, [], [])


def _unassessed_since(its: Sequence[Row], assessed: int) -> str | None:
    """Since when there is evidence that the committee has not weighed, or some of what it weighed is gone."""
    if assessed < 0:
        return its[0].at
    before = {row.wire["data"]["report_id"] for row in _links_that_stand(its[:assessed])}
    newer = [row.at for row in _links_that_stand(its) if row.position > its[assessed].position]
    for row in its[assessed:]:
        if row.type == "case.report_unlinked" and row.wire["data"]["report_id"] in before:
            newer.append(row.at)
            break
    return min(newer, default=None)


def _links_that_stand(its: Sequence[Row]) -> list[Row]:
    standing: dict[str, Row] = {}
    for row in its:
        if row.type == "case.report_linked":
            standing[row.wire["data"]["report_id"]] = row
        elif row.type == "case.report_unlinked":
            standing.pop(row.wire["data"]["report_id"], None)
    return list(standing.values())
