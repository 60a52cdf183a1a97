"""A trace as a tree to be read in a terminal: what it rested on above, what rested on it below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from services.trace.events import CHECKPOINT
from services.trace.tracing import LISTS

TITLES: Mapping[str, str] = {
    "judgements": "Judgements",
    "decisions": "Decisions",
    "referrals": "Referrals",
    "overdue": "Answers that were overdue",
    "level_changes": "Changes of levels",
    "alerts": "Alerts that strangers were told",
}
SOURCES: Mapping[str, str] = {
    "links": "Links of reports",
    "levels": "Levels and alerts",
    "messages": "Messages to subscribers",
}
NOTHING = "[dim]nothing[/dim]"


def tree(document: Mapping[str, Any]) -> Tree:
    """The tree of an answer of `shown`."""
    root = Tree(f"[bold]{_line(document['event'])}[/bold]")
    _events(root.add("Recorded together with it"), document["recorded_together"])
    _rests_on(root.add("It rested on"), document)
    resting, takes_back = document["resting"], {str(one["event_id"]) for one in document["takes_back"]}
    if takes_back:
        _events(root.add("It takes back"), document["takes_back"])
        of_that = _of(resting, takes_back, lambda one: not one["on"] or not takes_back.isdisjoint(one["on"]))
        _lists(root.add("What rested on what it takes back"), of_that)
        resting = _of(resting, {str(document["event"]["event_id"])}, lambda one: bool(set(one["on"]) - takes_back))
    _lists(root.add("What rested on it"), resting)
    _lists(root.add("What it led to"), document["led_to"])
    _how_far(root, document)
    return root


def _rests_on(branch: Tree, document: Mapping[str, Any]) -> None:
    """What it rested on; of a checkpoint, which is about all of the log, how to see that it is."""
    event = document["event"]
    if event["type"] != CHECKPOINT:
        _events(branch, document["rests_on"])
        return
    branch.add(
        f"every position up to {event['says']['size']}, as it was written: `intabaza audit prove POSITION --size "
        f"{event['says']['size']}` proves one, `intabaza audit verify` looks at all"
    )


def _how_far(root: Tree, document: Mapping[str, Any]) -> None:
    """Up to where it speaks; where something is still to come that no sentence above can tell of, that first."""
    if not document["complete"]:
        lacking = root.add("[bold red]More may have rested on it than stands here[/bold red]")
        for name, source in document["sources"].items():
            for because in source["because"]:
                lacking.add(f"{SOURCES[name]} speak up to position {source['up_to_position']}. {escape(because)}")
    root.add(f"[dim]Up to position {document['up_to_position']}.[/dim]")


def _of(lists: Mapping[str, Any], on: Set[str], wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    """Those of lists that are wanted, with their messages and those of the events on which they rested."""
    of_it = {name: [one for one in lists[name] if wanted(one)] for name in LISTS}
    alerts = on | {str(one["event_id"]) for one in of_it["alerts"]}
    return of_it | {"messages": [one for one in lists["messages"] if str(one["event_id"]) in alerts]}


def _events(branch: Tree, events: Sequence[Mapping[str, Any]]) -> None:
    for one in events or ():
        branch.add(_line(one))
    if not events:
        branch.add(NOTHING)


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
