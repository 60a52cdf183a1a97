"""What was signed is not what the log holds."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.tampering.run import Run, Tamperings


def sign_nothing_of_the_end(left: Run) -> None:
    signed = [at for at, row in enumerate(left.rows) if row.type == "custody.log_checkpointed"]
    left.rows = [row for at, row in enumerate(left.rows) if at not in signed[len(signed) // 2 :]]


def alter_what_was_signed(left: Run) -> None:
    left.rows[0] = replace(left.rows[0], body=left.rows[0].body + b" ")


def sign_an_older_size_again(left: Run) -> None:
    left.rows.append(left.rows[left.last("custody.log_checkpointed")])


TAMPERINGS: Tamperings = (
    (sign_nothing_of_the_end, "checkpoint_missing"),
    (alter_what_was_signed, "checkpoint_differs_from_ledger"),
    (sign_an_older_size_again, "checkpoint_size_falls"),
)
