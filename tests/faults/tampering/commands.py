"""What was asked and answered is not what stands in the ledger."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.tampering.run import Run, Tamperings


def lose_the_last_command(left: Run) -> None:
    del left.rows[left.index(lambda row: row.type.startswith("case.")) :]


def make_an_event_up(left: Run) -> None:
    one = left.told()[0]
    del left.past.commands[one.n]


def write_a_command_twice(left: Run) -> None:
    one = left.told()[0]
    at = one.accepted[0][0]["position"]
    other = left.index(lambda row: row.type == "report.received" and row.position != at)
    left.rows[other] = replace(left.rows[other], command_id=left.rows[at - 1].command_id)


def answer_a_repeat_otherwise(left: Run) -> None:
    one = left.told()[0]
    one.accepted.append([{**event, "position": event["position"] + 1} for event in one.accepted[0]])


def leave_an_answer_unknown(left: Run) -> None:
    next(iter(left.past.commands.values())).answered_last = "unknown"


def refuse_what_was_accepted(left: Run) -> None:
    left.told()[0].refused.append("x")


def answer_two_commands_with_one_event(left: Run) -> None:
    first, second = left.told()[:2]
    second.accepted = first.accepted


def give_a_command_two_bodies(left: Run) -> None:
    left.change("report.received", command_id=left.rows[left.last("case.opened")].command_id)


def tear_a_command_apart(left: Run) -> None:
    one = next(sent for sent in left.told() if len(sent.accepted[0]) > 1)
    at = one.accepted[0][0]["position"] - 1
    left.rows[at] = replace(left.rows[at], command_id="another")


def stop_before_the_end(left: Run) -> None:
    left.past.ended = False


TAMPERINGS: Tamperings = (
    (lose_the_last_command, "acknowledged_but_lost"),
    (make_an_event_up, "sent_by_nobody"),
    (write_a_command_twice, "command_more_than_once"),
    (answer_a_repeat_otherwise, "answered_twice_differently"),
    (leave_an_answer_unknown, "still_unknown"),
    (refuse_what_was_accepted, "accepted_and_refused"),
    (answer_two_commands_with_one_event, "one_event_for_two_commands"),
    (give_a_command_two_bodies, "command_with_two_bodies"),
    (tear_a_command_apart, "command_torn_apart"),
    (stop_before_the_end, "history_not_ended"),
)
