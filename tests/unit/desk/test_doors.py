"""Every command of the domain has one door among the acts, and no act is for a command that is none."""

from __future__ import annotations

from events.case.linking import Merge, ReverseMerge
from events.case.opening import OpenCase
from events.case.protection import RecordConsent
from events.commands import COMMANDS
from events.reference import RegisterRecipient
from events.report.decisions import Conclude, Correct, Grade, Receive, Supersede
from services.acts import case, reference, report


def test_every_command_has_one_door() -> None:
    doors = {
        "report": [*report.PLAIN, Receive, Grade, Conclude, Correct, Supersede],
        "case": [*case.PLAIN, *case.VOTED, *case.INFORMED, OpenCase, Merge, ReverseMerge, RecordConsent],
        "reference": [*reference.REGISTERS, RegisterRecipient],
    }
    for noun, commands in doors.items():
        assert sorted(commands, key=repr) == sorted(COMMANDS[noun], key=repr)
    assert COMMANDS.keys() - doors.keys() == {"reporter", "alert"}, "whose acts match over their commands themselves"
