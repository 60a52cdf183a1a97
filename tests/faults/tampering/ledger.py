"""The ledger is not whole in itself."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.tampering.run import Run, Tamperings


def lose_an_event(left: Run) -> None:
    half = len(left.rows) // 2
    del left.rows[left.index(lambda row: row.type == "report.received" and row.position < half)]


def turn_time_back(left: Run) -> None:
    left.change("report.received", recorded_at=left.rows[0].recorded_at.replace(year=2000))


def skip_a_version(left: Run) -> None:
    at = left.index(lambda row: row.version > 1)
    left.rows[at] = replace(left.rows[at], version=left.rows[at].version + 1)


def move_a_stream(left: Run) -> None:
    at = left.index(lambda row: row.version > 1 and row.home != "*")
    left.rows[at] = replace(left.rows[at], home="bi:home:elsewhere")


def give_an_event_twice(left: Run) -> None:
    left.rows[-1] = replace(left.rows[-1], event_id=left.rows[-2].event_id)


def let_an_envelope_differ(left: Run) -> None:
    left.rows[3] = replace(left.rows[3], wire={**left.rows[3].wire, "subject": "case/another"})


def lose_the_end_of_the_ledger(left: Run) -> None:
    del left.rows[left.past.head_at_the_end - 1 :]


TAMPERINGS: Tamperings = (
    (lose_an_event, "acknowledged_but_lost"),
    (lose_an_event, "position_gap"),
    (turn_time_back, "time_goes_back"),
    (skip_a_version, "stream_versions"),
    (move_a_stream, "stream_left_its_home"),
    (give_an_event_twice, "event_twice"),
    (let_an_envelope_differ, "envelope_differs"),
    (lose_the_end_of_the_ledger, "ledger_shorter"),
)
