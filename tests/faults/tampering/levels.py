"""What was said of levels, alerts, answers and coverage is not what follows from what happened."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.tampering.run import Run, Tamperings


def say_no_change_of_a_level(left: Run) -> None:
    del left.rows[left.last("level.level_changed")]


def say_another_level(left: Run) -> None:
    left.retell("level.level_changed", lambda data: {"to": data["to"] + 1})


def say_a_level_from_nowhere(left: Run) -> None:
    left.retell("level.level_changed", lambda _: {"from": 9})


def issue_no_alert(left: Run) -> None:
    del left.rows[left.last("alert.issued")]


def issue_an_alert_twice(left: Run) -> None:
    left.rows.append(left.rows[left.last("alert.issued")])


def issue_another_alert(left: Run) -> None:
    left.retell("alert.issued", lambda data: {"change": "cancelled" if data["change"] != "cancelled" else "raised"})


def tell_a_gap_twice(left: Run) -> None:
    last = left.rows[left.last("level.level_changed")]
    data = {"case_id": "a", "referral_id": "b", "awaited": "action", "due": "2026-01-01T00:00:00.000000Z", "step": 1}
    one = replace(last, type="level.response_overdue", wire={**last.wire, "data": data})
    left.rows += [one, one]


def weigh_a_case_otherwise(left: Run) -> None:
    """The steps are whole and the alerts follow from them: only who computes the level anew can know."""
    left.retell("level.level_changed", lambda data: {"points": data["points"] + 1})


def tell_strangers_of_other_kinds(left: Run) -> None:
    other = ["displacement"]
    left.retell("alert.issued", lambda data: {"kinds": [] if data["kinds"] == other else other})


def derive_an_id_otherwise(left: Run) -> None:
    left.change("level.level_changed", event_id="00000000-0000-8000-8000-000000000000")


def tell_a_gap_that_is_none(left: Run) -> None:
    left.change("level.level_changed", type="level.response_overdue")


def tell_a_rung_that_is_none(left: Run) -> None:
    left.change("level.level_changed", type="level.response_escalated")


def tell_a_loss_that_is_none(left: Run) -> None:
    left.change("level.level_changed", type="level.coverage_lost")


TAMPERINGS: Tamperings = (
    (say_no_change_of_a_level, "level_differs"),
    (say_another_level, "level_differs"),
    (say_a_level_from_nowhere, "level_steps_broken"),
    (issue_no_alert, "alert_missing"),
    (issue_an_alert_twice, "alert_of_nothing"),
    (issue_another_alert, "alert_differs"),
    (tell_a_gap_twice, "overdue_told_twice"),
    (weigh_a_case_otherwise, "level_differs"),
    (tell_strangers_of_other_kinds, "alert_differs"),
    (derive_an_id_otherwise, "level_differs"),
    (say_no_change_of_a_level, "level_missing"),
    (tell_a_gap_that_is_none, "overdue_of_nothing"),
    (tell_a_rung_that_is_none, "overdue_of_nothing"),
    (tell_a_loss_that_is_none, "coverage_of_nothing"),
)
