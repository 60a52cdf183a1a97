"""The history file, read again: what each command was answered in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    well_before: int = 0
    """How many faults were over when it was first accepted."""


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
    through: int | None = None
    """When all was well: up to here all had come through, and was signed."""
    unsent: tuple[int, int] | None = None
    """While the ledger grew up to the second position, Kafka had nothing after the first."""
    again: list[tuple[str, int]] = field(default_factory=list)
    """To whom was sent once more, as it was asked for, and from which position on."""
    signs_nothing: tuple[int, int] | None = None
    """After the first position and up to the second the notary had to stand still."""

    def had_on_its_way(self, position: int, reached: int) -> bool:
        """Whether this may have been with a relay meanwhile, and could come when its partition had reached so far."""
        return self.acknowledged < position and (self.well is None or reached <= self.well)


class Webhook(NamedTuple):
    """A request as it came to the receiver: to whom, when by the machine's clock, and with which status it was
    answered, if it was; how many faults had begun by then, and how many were over."""

    id: str
    timestamp: str
    signature: str
    content_type: str
    body: str
    answered: int | None
    to: str
    received_at: float
    begun: int = 0
    well: int = 0

    @property
    def taken(self) -> bool:
        return self.answered is not None and 200 <= self.answered < 300


class Subscribed(NamedTuple):
    """By which secret somebody is sent webhooks, which of the alerts they asked for, and how they are told: those of a
    province together, and none while a higher one of a unit above stands."""

    secret: str
    minimum_level: int | None = None
    changes: tuple[str, ...] | None = None
    by_province: bool = False
    inhibit: bool = False

    @property
    def all(self) -> bool:
        """Each alert by itself, all of them."""
        return self == Subscribed(self.secret)


@dataclass
class Past:
    """What was done from outside."""

    head: int = 0
    commands: dict[int, Sent] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    operator: set[str] = field(default_factory=set)
    phones: dict[str, str] = field(default_factory=dict)
    """By which number each of those who send is enrolled."""
    silenced: dict[str, list[int]] = field(default_factory=dict)
    """By which faults, in their order from 0, keys were destroyed that somebody's signs are sealed under."""
    subscribers: dict[str, Subscribed] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    ended: bool = False
    head_at_the_end: int = 0
    through_at_the_end: int | None = None
    log_keys: list[str] = field(default_factory=list)
    """By which the log is verified, in the order of their use."""
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
                past.phones = told.get("phones", {})
                past.log_keys = list(told.get("log_keys", ()))
            case "sent":
                who = told["person"], told["path"], told["body"]
                past.commands.setdefault(told["n"], Sent(told["n"], told["key"], *who))
            case "answered":
                one = past.commands[told["n"]]
                one.answered_last = told["outcome"]
                if told["outcome"] == "accepted":
                    if not one.accepted:
                        one.well_before = sum(fault.well is not None for fault in past.faults)
                    one.accepted.append(told["events"])
                    if until := told.get("held_until"):
                        one.held_until = datetime.fromisoformat(until)
                elif told["outcome"] == "refused":
                    one.refused.append(str(told["problem"]))
                else:
                    one.unknown += 1
            case "subscribed":
                changes = told.get("changes")
                asked = told.get("minimum_level"), tuple(changes) if changes is not None else None
                manner = told.get("by_province", False), told.get("inhibit", False)
                past.subscribers[told["to"]] = Subscribed(told["secret"], *asked, *manner)
            case "received":
                came = {name: told[name] for name in Webhook._fields if name not in ("begun", "well")}
                well = sum(fault.well is not None for fault in past.faults)
                past.webhooks.append(Webhook(**came, begun=len(past.faults), well=well))
            case "fault":
                past.faults.append(Fault(told["name"], told["acknowledged"]))
            case "operator":
                past.operator |= {str(event["id"]) for event in told["events"]}
            case "ends":
                past.ended, past.head_at_the_end = True, told["ledger_head"]
                past.through_at_the_end = told.get("through")
                past.ended_at = datetime.fromisoformat(told["now"])
            case "mended":
                _mend(past, told["detail"])
            case "well":
                past.faults[-1].well, past.faults[-1].through = told["ledger_head"], told.get("through")
            case what:
                raise ValueError(f"the history has a line of an unknown kind: {what!r}")
    return past


def _mend(past: Past, detail: Mapping[str, Any]) -> None:
    """What a strike says that it did, which others cannot know."""
    fault = past.faults[-1]
    fault.put += [Put(*one) for one in detail.get("put", ())]
    fault.again += [(to, position) for to, position in detail.get("again", ())]
    for name in detail.get("silenced", ()):
        past.silenced.setdefault(name, []).append(len(past.faults) - 1)
    past.log_keys += detail.get("log_keys", ())
    if "unsent" in detail:
        fault.unsent = tuple(detail["unsent"])
    if "signs_nothing" in detail:
        fault.signs_nothing = tuple(detail["signs_nothing"])


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
