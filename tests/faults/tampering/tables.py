"""A projection is not what the ledger makes of it."""

from __future__ import annotations

from tests.faults.tampering.run import Run, Tamperings


def forget_a_line_of_the_timeline(left: Run) -> None:
    del left.held["timeline"][-1]


def change_what_a_timeline_tells(left: Run) -> None:
    *row, data = left.held["timeline"][1]
    left.held["timeline"][1] = (*row, {**data, "told": "by nobody"})


def untie_a_report(left: Run) -> None:
    *row, holds = left.held["ties"][0]
    left.held["ties"][0] = (*row, not holds)


def take_a_case_off_the_board(left: Run) -> None:
    del left.held["board"][0]


def let_a_case_stand_elsewhere_on_the_board(left: Run) -> None:
    stream, home, _, *rest = left.held["board"][-1]
    left.held["board"][-1] = (stream, home, "bi:c2015:elsewhere", *rest)


def let_nobody_wait_any_more(left: Run) -> None:
    del left.held["queue"][0]


def let_somebody_wait_longer(left: Run) -> None:
    *key, since, due, home, unit, kind, urgent, number, grades, agreeing, by, recused = left.held["queue"][-1]
    since = since.replace(year=2000)
    left.held["queue"][-1] = (*key, since, due, home, unit, kind, urgent, number, grades, agreeing, by, recused)


def show_a_referral_that_is_none(left: Run) -> None:
    left.held["referrals"].append(("case/a", "b", "police", "protection", "referred", True))


def show_a_gap_that_is_none(left: Run) -> None:
    left.held["gaps"].append(("case/a", "action", "b", 1, "u", "h", left.rows[0].recorded_at, None, None))


TAMPERINGS: Tamperings = (
    (forget_a_line_of_the_timeline, "projection_differs"),
    (change_what_a_timeline_tells, "projection_differs"),
    (untie_a_report, "projection_differs"),
    (take_a_case_off_the_board, "projection_differs"),
    (let_a_case_stand_elsewhere_on_the_board, "projection_differs"),
    (let_nobody_wait_any_more, "projection_differs"),
    (let_somebody_wait_longer, "projection_differs"),
    (show_a_referral_that_is_none, "projection_differs"),
    (show_a_gap_that_is_none, "projection_differs"),
)
