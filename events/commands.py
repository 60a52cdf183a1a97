"""Every command there is, for whoever must walk them all."""

from __future__ import annotations

from collections.abc import Mapping

from events import alert, reference, reporter
from events.case import ending, judging, linking, opening, protection, referral
from events.command import Command
from events.report import decisions as report

COMMANDS: Mapping[str, tuple[type[Command], ...]] = {
    "report": report.COMMANDS,
    "case": (
        *opening.COMMANDS,
        *linking.COMMANDS,
        *judging.COMMANDS,
        *protection.COMMANDS,
        *referral.COMMANDS,
        *ending.COMMANDS,
    ),
    "reporter": reporter.COMMANDS,
    "alert": alert.COMMANDS,
    "reference": reference.COMMANDS,
}
