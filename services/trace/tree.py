"""A trace as a tree to be read in a terminal: what it rested on above, what rested on it below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from services.trace.tracing import LISTS

TITLES: Mapping[str, str] = {
    "judgements": "Judgements",
    "decisions": "Decisions",
    "referrals": "Referrals",
    "overdue": "Answers that were overdue",
    "level_changes": "Changes of levels",
    "alerts": "Alerts that strangers were told",
}
NOTHING = "[dim]nothing[/dim]"


def tree(document: Mapping[str, Any]) -> Tree:
    """The tree of an answer of `shown`."""
    root = Tree(f"[bold]{_line(document['event'])}[/bold]")
    above = root.add("It rested on")
    for one in document["rests_on"] or ():
        above.add(_line(one))
    if not document["rests_on"]:
        above.add(NOTHING)
    if (takes_back := document["takes_back"]) is not None:
        root.add(f"It takes back {_line(takes_back)}")
    _lists(root.add("What rested on that" if takes_back else "What rested on it"), document["resting"])
    _lists(root.add("What it led to"), document["led_to"])
    root.add(f"[dim]Up to position {document['up_to_position']}.[/dim]")
    return root


def _lists(branch: Tree, lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    messages: dict[str, list[Mapping[str, Any]]] = {}
    for one in lists["messages"]:
        messages.setdefault(str(one["event_id"]), []).append(one)
    for name in LISTS:
        if not lists[name]:
            continue
        of_kind = branch.add(f"{TITLES[name]} ({len(lists[name])})")
        for one in lists[name]:
            leaf = of_kind.add(_line(one))
            for message in messages.pop(str(one["event_id"]), ()):
                leaf.add(_message(message))
    for left in messages.values():
        for message in left:
            branch.add(_message(message))
    if not branch.children:
        branch.add(NOTHING)


def _line(event: Mapping[str, Any]) -> str:
    says = ", ".join(f"{name} {value}" for name, value in event["says"].items())
    return escape(f"{event['position']} {event['type']} {event['stream']}{f': {says}' if says else ''}")


def _message(message: Mapping[str, Any]) -> str:
    came = f"delivered {message['delivered_at']:%Y-%m-%d %H:%M}" if message["delivered_at"] else "not delivered yet"
    return escape(f"to subscriber {message['subscriber_id']}: {came}")
