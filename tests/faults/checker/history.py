"""The history file, read again: what each command was answered in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.checker.findings import Findings


@dataclass
class Sent:
    """One command: every answer that it got."""

    n: int
    key: str
    person: str = ""
    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    held_until: datetime | None = None
    accepted: list[list[dict[str, Any]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unknown: int = 0
    answered_last: str = "unknown"


class Put(NamedTuple):
    """A record that a strike put on a topic: a repeat of this position, or one that is not ours."""

    topic: str
    partition: int
    position: int | None


@dataclass
class Fault:
    """One strike: up to where all was on Kafka before it, and how far the ledger was when all was well again."""

    name: str
    acknowledged: int
    well: int | None = None
    put: list[Put] = field(default_factory=list)

    def had_on_its_way(self, position: int, reached: int) -> bool:
        """Whether this may have been with a relay meanwhile, and could come when its partition had reached so far."""
        return self.acknowledged < position and (self.well is None or reached <= self.well)


class Webhook(NamedTuple):
    """A request as it came to the receiver, and with which status it was answered, if it was."""

    id: str
    timestamp: str
    signature: str
    body: str
    answered: int | None

    @property
    def taken(self) -> bool:
        return self.answered is not None and 200 <= self.answered < 300


@dataclass
class Past:
    """What was done from outside."""

    head: int = 0
    commands: dict[int, Sent] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    operator: set[str] = field(default_factory=set)
    secret: str | None = None
    webhooks: list[Webhook] = field(default_factory=list)
    ended: bool = False
    head_at_the_end: int = 0
    ended_at: datetime | None = None
    """By the clock of the stack."""

    @property
    def acknowledged(self) -> list[Sent]:
        return [one for one in self.commands.values() if one.accepted]


def read(file: Path) -> Past:
    """Read the file; raises ValueError for a line that is none of its kind."""
    past = Past()
    for line in file.read_text().splitlines():
        told = json.loads(line)
        match told["what"]:
            case "begins":
                past.head = told["ledger_head"]
            case "sent":
                who = told["person"], told["path"], told["body"]
                past.commands.setdefault(told["n"], Sent(told["n"], told["key"], *who))
            case "answered":
                one = past.commands[told["n"]]
                one.answered_last = told["outcome"]
                if told["outcome"] == "accepted":
                    one.accepted.append(told["events"])
                    if until := told.get("held_until"):
                        one.held_until = datetime.fromisoformat(until)
                elif told["outcome"] == "refused":
                    one.refused.append(str(told["problem"]))
                else:
                    one.unknown += 1
            case "subscribed":
                past.secret = told["secret"]
            case "received":
                past.webhooks.append(Webhook(*(told[name] for name in Webhook._fields)))
            case "fault":
                past.faults.append(Fault(told["name"], told["acknowledged"]))
            case "operator":
                past.operator |= {str(event["id"]) for event in told["events"]}
            case "ends":
                past.ended, past.head_at_the_end = True, told["ledger_head"]
                past.ended_at = datetime.fromisoformat(told["now"])
            case "mended":
                past.faults[-1].put += [Put(*one) for one in told["detail"].get("put", ())]
            case "well":
                past.faults[-1].well = told["ledger_head"]
            case what:
                raise ValueError(f"the history has a line of an unknown kind: {what!r}")
    return past


def judge(past: Past, found: Findings, *, faults: int, acknowledged: int) -> None:
    """Whether each answer agrees with the others, and whether enough was done to prove anything."""
    if not past.ended:
        found.add("history_not_ended", "The history has no end: the run broke off.")
    if len(past.faults) < faults:
        found.add("too_few_faults", f"{len(past.faults)} faults struck and {faults} are the least.")
    if len(past.acknowledged) < acknowledged:
        found.add(
            "too_few_acknowledged",
            f"{len(past.acknowledged)} commands were acknowledged and {acknowledged} are the least.",
        )
    for one in past.commands.values():
        if one.answered_last == "unknown":
            found.add("still_unknown", f"Command {one.n} was never answered for certain.")
        if any(told != one.accepted[0] for told in one.accepted):
            found.add("answered_twice_differently", f"Command {one.n} was accepted as two different things.")
        if one.accepted and one.refused:
            found.add("accepted_and_refused", f"Command {one.n} was accepted, and refused as {one.refused[0]}.")
