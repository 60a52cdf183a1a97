"""What everybody will read is read first: a broadcast that some fold cannot take would stop every processor.

So a rule set, a gazetteer and an engine are refused here, with what is wrong, before they are on the log for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from events.command import Command
from events.places.gazetteer import Gazetteer
from events.reference import AdoptEngine, AdoptGazetteer, AdoptRules, GazetteerAdopted, Register
from events.refusals import BadInput, Problem
from projections import alert_level, coverage, referral_board
from projections.alert_level.fold import ENGINES
from projections.rule_set import RuleFault, RuleSetFaulty, read_rule_set

KNOWN_ENGINES: Mapping[str, Set[int]] = {
    alert_level.PROJECTION.name: ENGINES.keys(),
    coverage.PROJECTION.name: set(range(1, coverage.PROJECTION.version + 1)),
    referral_board.PROJECTION.name: set(range(1, referral_board.PROJECTION.version + 1)),
}
"""Projections that derive events, and the engines of each that this program has."""


def refuse_what_no_fold_could_read(register: Register, command: Command) -> None:
    """Raises BadInput with every fault; a command that adopts nothing passes."""
    match command:
        case AdoptRules():
            _rules(command)
        case AdoptGazetteer():
            _gazetteer(register, command)
        case AdoptEngine():
            _engine(command)


def _rules(command: AdoptRules) -> None:
    try:
        read_rule_set(command.content)
    except RuleSetFaulty as faulty:
        raise BadInput(*(_told(fault) for fault in faulty.faults)) from None


def _told(fault: RuleFault) -> Problem:
    where = [f"line {fault.line}"] if fault.line else []
    return Problem(
        field=", ".join(["content", *where, *filter(None, [fault.key])]), expected=fault.expected, mend=fault.mend
    )


def _gazetteer(register: Register, command: AdoptGazetteer) -> None:
    following = Gazetteer.from_content(command.content)
    current = register.in_force.get("gazetteer")
    if isinstance(current, GazetteerAdopted):
        following = Gazetteer.from_content(current.content).adopt(following)
    if command.content_hash != following.content_hash:
        raise BadInput.field(
            "content_hash",
            "the hash of the gazetteer as it follows the one in force",
            "send the content and the hash of what `Gazetteer.adopt` returns",
        )


def _engine(command: AdoptEngine) -> None:
    known = KNOWN_ENGINES.get(command.projection)
    if known is None:
        raise BadInput.field(
            "projection", f"one that derives events: {', '.join(sorted(KNOWN_ENGINES))}", "choose one of these"
        )
    if command.number not in known:
        raise BadInput.field(
            "number",
            f"an engine of {command.projection} that every worker has: {', '.join(map(str, sorted(known)))}",
            "release the program that has it first",
        )
