"""What came by webhook: to each who subscribed what they have to hear, with its bytes and a signature of ours, in
order, once, and nothing else.

Signatures as Standard Webhooks says: HMAC-SHA256 over id, timestamp and body with full stops between, in base64, under
the secret behind `whsec_`; several of them with a space between, each after `v1,`. The timestamp is that of the try:
whoever verifies takes none that is five minutes off. Who is told by province gets JSON arrays of events of one
province, each array under an id of its own that stands for the same array at each try.

What has to come to whom, and what is kept back from them until when, is in `hearing`.

What was answered with 2xx comes again where somebody asked for it from a position on, which makes go what it made go
the first time; or where whoever sent it ended, was frozen or lost what it had written down: between a fault and the
moment when all was well again, and each time one webhook of each subscriber. A try that was not answered with 2xx is no
delivery, and what follows it is no repeat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from tests.faults.checker.findings import Findings
from tests.faults.checker.hearing import ALERT, PUBLIC, Listener, listened
from tests.faults.checker.history import Fault, Past, Subscribed, Webhook
from tests.faults.checker.ledger import Row

ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
TOLERANCE = timedelta(minutes=5)
OF_THE_CLOCK = "clock_"
LOSES_WHAT_IT_HAD_WRITTEN = ("kill_postgres", "kill_supervisor", "fill_disk", "ledger_from")
"""Strikes after which results that were written and not synced are gone."""
INTERRUPTS = ("notifier", "kafka", "postgres", "supervisor", "topics", OF_THE_CLOCK)
INTERRUPTS_NOBODY_WHO_SENDS = "_between_"
"""On wires that are others'."""
INTERRUPTIONS = 2
"""Whoever sends is interrupted by the strike, and once more where the stack is started anew after it."""
RECEIVED_SECONDS = 0.001
"""A receiver writes down when something came to the thousandth."""


class Came:
    """A webhook and the events in it: one, or those of a batch; none where its body is no such thing."""

    def __init__(self, webhook: Webhook, to: Subscribed) -> None:
        self.webhook = webhook
        self.of_several = to.by_province

    @cached_property
    def told(self) -> list[dict[str, Any]]:
        """What its body says."""
        try:
            body = json.loads(self.webhook.body)
            events = body if self.of_several else [body]
            return events if all(isinstance(one["id"], str) for one in events) else []
        except (ValueError, TypeError, KeyError):
            return []

    @property
    def ids(self) -> list[str]:
        return [one["id"] for one in self.told] if self.of_several else [self.webhook.id]


def judge(rows: Sequence[Row], past: Past, found: Findings, *, least: int = 0) -> None:
    """Look at what came to each; `least` are the alerts that have to have come for this to prove anything."""
    public = {row.event_id: row for row in rows if row.type in PUBLIC}
    for one in past.webhooks:
        if one.to not in past.subscribers:
            found.add("webhook_to_nobody", f"Webhook {one.id} came to {one.to!r}, who never subscribed.")
    delivered: set[str] = set()
    for name, subscribed in past.subscribers.items():
        came = [Came(one, subscribed) for one in past.webhooks if one.to == name]
        taken = [one for one in came if one.webhook.taken]
        had = {event_id for one in taken for event_id in one.ids}
        listener = listened(subscribed, rows)
        _as_they_stand(came, public, subscribed, past, found)
        if subscribed.by_province:
            _batches(came, public, listener, found)
        _what_they_asked_for(name, listener, public.values(), had, past, found)
        _in_order(name, taken, public, listener, found)
        _in_peace(name, came, listener, past, found)
        _once(name, taken, listener, past.faults, found)
        _again(name, taken, listener, past.faults, found)
        if subscribed.all:
            _ends_alike(taken, listener, past, found)
        delivered |= {one for one in had if one in public and public[one].type == ALERT}
    if len(delivered) < least:
        found.add("too_few_webhooks", f"{len(delivered)} alerts came by webhook and {least} are the least.")


def _as_they_stand(
    came: Iterable[Came], public: Mapping[str, Row], to: Subscribed, past: Past, found: Findings
) -> None:
    """Each by itself: its signature, its bytes, its timestamp."""
    set_clock = _set_clock(past)
    for it in came:
        one, rows = it.webhook, [public[event_id] for event_id in it.ids if event_id in public]
        if not is_signed(one, to.secret):
            found.add("webhook_not_signed", f"Webhook {one.id} bears no signature that fits: {one.signature!r}.")
        if one.content_type != (BATCH if it.of_several else ONE):
            found.add("webhook_differs", f"Webhook {one.id} says that it is {one.content_type!r}.")
        if not rows or len(rows) < len(it.ids):
            found.add("webhook_of_nothing", f"Webhook {one.id} is nothing that the ledger tells strangers: {it.ids}.")
        elif not it.of_several and one.body.encode() != rows[0].bytes_on_the_wire:
            found.add("webhook_differs", f"Webhook {one.id} has other bytes than the ledger.", rows[0].position)
        if not (one.timestamp.isascii() and one.timestamp.isdigit()):
            found.add("webhook_timestamp", f"Webhook {one.id} is of no moment: {one.timestamp!r}.")
        elif not set_clock:
            sent = int(one.timestamp)
            if abs(one.received_at - sent) > TOLERANCE.total_seconds():
                found.add("webhook_timestamp", f"Webhook {one.id} came at {one.received_at} and says {sent}.")
            for row in rows:
                if sent < math.floor(row.recorded_at.timestamp()):
                    found.add("webhook_timestamp", f"Webhook {one.id} was sent before it was recorded.", row.position)


def _set_clock(past: Past) -> bool:
    """Whether what clocks said proves nothing."""
    return any(fault.name.startswith(OF_THE_CLOCK) for fault in past.faults)


def _batches(came: Iterable[Came], public: Mapping[str, Row], listener: Listener, found: Findings) -> None:
    """Events as they stand in the ledger, of one province, under an id that is no other batch's and no event's."""
    bodies: dict[str, str] = {}
    for it in came:
        one, rows = it.webhook, [public[event_id] for event_id in it.ids if event_id in public]
        if one.id in public or bodies.setdefault(one.id, one.body) != one.body:
            found.add("batch_id", f"The id of batch {one.id} is that of something else too.")
        for told, row in zip(it.told, rows, strict=False):
            if told != json.loads(row.bytes_on_the_wire):
                found.add("webhook_differs", f"Batch {one.id} tells {row.event_id} otherwise.", row.position)
        places = listener.places
        if places and len(provinces := {places.province_of(row.wire["data"]["unit"]) for row in rows}) > 1:
            found.add("batch_of_several_provinces", f"Batch {one.id} is of {sorted(provinces)}.")


def is_signed(one: Webhook, secret: str) -> bool:
    """Whether one of its signatures is of this secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{one.id}.{one.timestamp}.{one.body}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}" in one.signature.split(" ")


def _what_they_asked_for(
    name: str, listener: Listener, public: Iterable[Row], had: set[str], past: Past, found: Findings
) -> None:
    """What they have to hear comes; of a unit of which they were never told nothing else may, and what they were to be
    left in peace with does not come either."""
    due = {one.row.event_id: one for one in listener.due}
    ever: set[str] = set()
    for row in sorted(public, key=lambda row: row.position):
        unit, came, one = row.wire["data"]["unit"], row.event_id in had, due.get(row.event_id)
        if one is not None and not came and one.by.position <= past.head_at_the_end:
            since = f", kept back until {one.by.position}," if one.waited else ""
            found.add(
                "webhook_missing", f"The {row.type} at {row.position}{since} never came to {name!r}.", row.position
            )
        if one is None and came:
            if row.event_id in listener.kept:
                sentence = f"{name!r} was sent the alert at {row.position}, with which they were left in peace."
                found.add("webhook_in_peace", sentence, row.position)
            elif row.type != ALERT or unit not in ever:
                sentence = f"{name!r} was sent the {row.type} at {row.position}, which their filters leave out."
                found.add("webhook_unwanted", sentence, row.position)
        if row.type == ALERT and (one is not None or came):
            ever.add(unit)


def _in_order(name: str, taken: Iterable[Came], public: Mapping[str, Row], listener: Listener, found: Findings) -> None:
    """Each comes first behind all that was due before it, of its unit where they come in batches; repeats come whenever
    they come."""
    due = {one.row.event_id: number for number, one in enumerate(listener.due)}
    last: dict[tuple[str, ...], int] = {}
    seen: set[str] = set()
    for event_id in (event_id for one in taken for event_id in one.ids if event_id in due):
        row, number = public[event_id], due[event_id]
        line = (row.type, row.wire["data"]["unit"]) if listener.to.by_province else ()
        if event_id not in seen and number < last.get(line, 0):
            before = listener.due[last[line]].row.position
            sentence = f"The {row.type} at {row.position} came to {name!r} first after {before}."
            found.add("webhook_out_of_order", sentence, row.position)
        seen.add(event_id)
        last[line] = max(last.get(line, 0), number)


def _in_peace(name: str, came: Sequence[Came], listener: Listener, past: Past, found: Findings) -> None:
    """What was kept back comes after that by which it no longer was: by their clocks, and where alerts come one by one
    also in the order in which they came."""
    first: dict[str, int] = {}
    told: dict[str, int] = {}
    for at, it in enumerate(came):
        for event_id in it.ids:
            first.setdefault(event_id, at)
            if it.webhook.taken:
                told.setdefault(event_id, at)
    themselves = {one.row.event_id for one in listener.due if not one.waited}
    for one in listener.due:
        if not one.waited or (number := first.get(one.row.event_id)) is None:
            continue
        received = came[number].webhook.received_at + RECEIVED_SECONDS
        before = not _set_clock(past) and received < one.by.recorded_at.timestamp()
        if not listener.to.by_province and one.by.event_id in themselves:
            before |= told.get(one.by.event_id, math.inf) > number
        if before:
            sentence = f"The alert at {one.row.position} came to {name!r} before {one.by.position} let it go."
            found.add("webhook_in_peace", sentence, one.row.position)


def _once(name: str, taken: Iterable[Came], listener: Listener, faults: Sequence[Fault], found: Findings) -> None:
    """What was taken before comes again only while a fault has not been mended, and not oftener than it explains."""
    seen: set[str] = set()
    repeats: Counter[int] = Counter()
    asked_for = [_asked_for(name, listener, fault) for fault in faults]
    for it in taken:
        one = it.webhook
        again = seen.intersection(it.ids)
        if again and one.begun == one.well:
            found.add("webhook_repeated", f"Webhook {one.id} came to {name!r} again while all was well.")
        elif again:
            asked = asked_for[one.begun - 1]
            repeats[one.begun - 1] += any(asked[event_id] < 1 for event_id in again)
            asked.subtract(again)
        seen.update(it.ids)
    for number, many in repeats.items():
        fault = faults[number]
        if many > (most := _explained(fault.name)):
            sentence = f"{many} webhooks came to {name!r} again after {fault.name}, which explains {most}."
            found.add("webhook_repeated", sentence)


def _again(name: str, taken: Sequence[Came], listener: Listener, faults: Sequence[Fault], found: Findings) -> None:
    """What was asked for again comes again before all is well, as far as it had come before the fault."""
    for number, fault in enumerate(faults):
        if fault.well is None or not (asked := _asked_for(name, listener, fault)):
            continue
        before = {event_id for it in taken if it.webhook.begun <= number for event_id in it.ids}
        came = Counter(
            event_id for it in taken if it.webhook.begun == number + 1 > it.webhook.well for event_id in it.ids
        )
        positions = {one.row.event_id: one.row.position for one in listener.due}
        for event_id, often in asked.items():
            if event_id in before and came[event_id] < often:
                sentence = f"{positions[event_id]} was asked for again for {name!r} {often} times in {fault.name}"
                found.add("webhook_not_again", f"{sentence} and came {came[event_id]} times.", positions[event_id])


def _asked_for(name: str, listener: Listener, fault: Fault) -> Counter[str]:
    """How often each comes once more because it was asked for: whatever was made go from that position on."""
    begins = [position for to, position in fault.again if to == name]
    return Counter(one.row.event_id for begin in begins for one in listener.due if one.by.position >= begin)


def _explained(fault: str) -> float:
    """How many repeats there may be by a fault for which nobody asked."""
    if any(name in fault for name in LOSES_WHAT_IT_HAD_WRITTEN):
        return math.inf
    interrupts = any(name in fault for name in INTERRUPTS) and INTERRUPTS_NOBODY_WHO_SENDS not in fault
    return INTERRUPTIONS if interrupts else 0


def _ends_alike(taken: Sequence[Came], listener: Listener, past: Past, found: Findings) -> None:
    """A receiver that keeps of each unit the alert with the highest sequence, in whatever order they came and however
    often, knows what they have to know; of one that is over it is the same how it ended."""
    known: dict[str, tuple[int, str]] = {}
    for event in (event for one in reversed(taken) for event in one.told if event["type"] == ALERT):
        unit, at = event["data"]["unit"], int(event["sequence"])
        known[unit] = max(known.get(unit, (0, "")), (at, event["id"]))
    had = {event_id for one in taken for event_id in one.ids}
    last: dict[str, Row] = {}
    for one in listener.due:
        if one.row.type == ALERT and (one.by.position <= past.head_at_the_end or one.row.event_id in had):
            last[one.row.wire["data"]["unit"]] = one.row
    for unit in sorted(known.keys() | last.keys()):
        (at, event_id), wanted = known.get(unit, (0, "")), last.get(unit)
        if wanted is None or (event_id != wanted.event_id and (at < wanted.position or listener.warns(wanted))):
            where = "nothing" if wanted is None else wanted.position
            found.add("webhook_state_differs", f"Of {unit} the receiver knows {at or 'nothing'}, and not {where}.")
