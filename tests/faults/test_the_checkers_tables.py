"""What the checker says waits, and who owes an answer, is what the tables hold: two readings of one page."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings

from projections.part import Part
from projections.projection import Page, Projection, derived_id
from projections.referral_board import PROJECTION as REFERRALS
from projections.review_queue import PROJECTION as QUEUE
from projections.taken import Taken
from tests.faults.checker import deadlines
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.waiting import waiting
from tests.support.happenings import ACTS, HAPPENINGS, OF_SILENCES, history

LONGER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rows_of(log: Iterable[Taken]) -> list[Row]:
    """The ledger's rows, as far as the checker reads them for this."""
    return [
        Row(
            one.position,
            one.stream,
            one.version,
            str(one.position),
            one.type,
            one.home,
            datetime.fromisoformat(one.time),
            "",
            b"",
            b"",
            {"data": one.data, "mode": one.mode},
        )
        for one in log
    ]


def pages(projection: Projection[Any, Any], log: Iterable[Taken]) -> Iterator[Page]:
    """What a projection writes after each event."""
    part: Part[Any, Any] = Part(projection.fold)
    for event in log:
        part.hold(part.wants([event]), {})
        yield part.take([event])[0]


def few_streams() -> Iterator[list[Taken]]:
    """Long histories of few streams, in which one thing leads to another."""
    of_cases = [one for one in ACTS if one not in OF_SILENCES]
    for seed in range(40):
        dice = random.Random(seed)
        yield history(
            [
                (dice.choice(of_cases), dice.randrange(2), dice.randrange(8), dice.choice((0, 0.5, 1, 7, 30)))
                for _ in range(200)
            ]
        )


def moment(at: str | None) -> datetime | None:
    return None if at is None else datetime.fromisoformat(at)


@LONGER
@given(HAPPENINGS)
def test_what_waits_is_what_the_queue_shows(happenings: Any) -> None:
    same_queue(history(happenings))


CUTS = (100, 150, None)
"""Where histories also end: what a table says of what comes next is to be seen only in what is not over."""


def same_queue(log: list[Taken]) -> None:
    shown: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for page in pages(QUEUE, log):
        for key in page.rows.get("answered", []):
            del shown[tuple(key)]
        for row in page.rows.get("waiting", []):
            stream, what, since, *about, subject, due, number, grades, agreeing, by, recused, whom = row
            lists = [sorted(one for one in told.strip("{}").split(",") if one) for told in (by, recused)]
            begins = (stream, what, subject, whom, moment(since), moment(due))
            shown[stream, what, subject] = (*begins, *about, number, grades, agreeing, *lists)

    assert waiting(rows_of(log)) == [shown[key] for key in sorted(shown)]


@LONGER
@given(HAPPENINGS)
def test_who_owes_an_answer_is_what_the_referral_board_shows_and_tells(happenings: Any) -> None:
    same_board(history(happenings))


def same_board(log: list[Taken]) -> None:
    referrals: dict[tuple[str, str], tuple[Any, ...]] = {}
    gaps: dict[tuple[str, str, str, int], tuple[Any, ...]] = {}
    told: dict[str, deadlines.Told] = {}
    for page in pages(REFERRALS, log):
        for row in page.rows.get("referral", []):
            dates = (*row[:8], *map(moment, row[8:14]), *row[14:])
            referrals[row[0], row[1]] = dates
        for row in page.rows.get("gap", []):
            gaps[row[0], row[1], row[2], row[3]] = (
                *(*row[:6], *map(moment, row[6:8]), *row[8:11]),
                *(moment(row[11]), row[12], moment(row[13])),
            )
        for one in page.derived:
            data = json.loads(one.data.model_dump_json(exclude_none=True))
            told[str(derived_id(one.seed))] = deadlines.Told(one.data.name, one.stream, one.home, one.engine, data)
    owed = deadlines.of(rows_of(log))

    assert deadlines.board(owed) == [referrals[key] for key in sorted(referrals)]
    assert deadlines.gaps(owed) == [gaps[key] for key in sorted(gaps)]
    assert owed.told == told


def test_both_are_so_where_one_thing_leads_to_another() -> None:
    for log in few_streams():
        same_queue(log)
        for end in CUTS:
            same_board(log[:end])


def test_such_histories_have_gaps_and_things_that_wait_of_every_kind() -> None:
    """Else the two above would agree about nothing."""
    kinds: set[str] = set()
    for log in map(rows_of, few_streams()):
        owed = deadlines.of(log)
        kinds.update(one[1] for one in waiting(log))
        kinds.update(one.data["awaited"] for one in owed.told.values())
        kinds.update("answered late" for one in deadlines.gaps(owed) if one[7] is not None)
        kinds.update(f"rung {one.data['rung']}" for one in owed.told.values() if "rung" in one.data)
        cut = (deadlines.of(log[:end]) for end in CUTS)
        kinds.update("on its way up" for owed in cut for one in deadlines.gaps(owed) if one[-1] is not None)
    assert kinds >= {
        *("grading", "conclusion", "placing", "dating", "ratification", "assessment", "outcome_check"),
        *("acknowledgement", "action", "ratification", "referral_or_decision", "answered late"),
        *("rung 1", "rung 2", "rung 3", "on its way up"),
    }


def test_since_when_a_merged_case_had_waited_is_as_its_stream_tells() -> None:
    log, merged = next(
        (log, at)
        for log in few_streams()
        for at, one in enumerate(log)
        if one.type == "case.merged" and "asked_since" in one.data
    )
    assert deadlines.of(rows_of(log)).misled == {}
    for wrong in ({}, {"asked_since": "2016-01-01T00:00:00.000000Z"}):
        data = {"absorbed": log[merged].data["absorbed"], **wrong}
        changed = [*log[:merged], replace(log[merged], data=data), *log[merged + 1 :]]
        findings = Findings()
        owed = deadlines.of(rows_of(changed))
        deadlines.judge(owed, overdue_of(owed), findings)
        assert findings.counts == {"wait_differs": 1}


def overdue_of(owed: deadlines.Deadlines) -> list[Row]:
    """The events that tell them, as a ledger would hold them."""
    at = datetime.fromisoformat("2016-01-01T00:00:00Z")
    return [
        Row(n, one.stream, n, event_id, one.type, one.home, at, "", b"", b"", {"data": one.data, "engine": 1})
        for n, (event_id, one) in enumerate(owed.told.items(), 1)
    ]


def test_each_overdue_answer_is_told_as_it_is_and_no_other() -> None:
    owed = next(owed for log in few_streams() if len((owed := deadlines.of(rows_of(log))).told) > 2)
    told = overdue_of(owed)

    def found(rows: list[Row]) -> dict[str, int]:
        findings = Findings()
        deadlines.judge(owed, rows, findings)
        return findings.counts

    assert found(told) == {}
    assert found(told[1:]) == {"overdue_missing": 1}
    assert found([*told, replace(told[0], event_id="another")]) == {"overdue_of_nothing": 1}
    assert found([replace(told[0], home="elsewhere"), *told[1:]]) == {"overdue_differs": 1}
    moved = {**told[0].wire, "data": {**told[0].wire["data"], "step": 9}}
    assert found([replace(told[0], wire=moved), *told[1:]]) == {"overdue_differs": 1}
