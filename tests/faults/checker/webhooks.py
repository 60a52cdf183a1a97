"""What came by webhook: to each who subscribed what they asked for, with its bytes and a signature of ours, in order,
once, and nothing else.

Signatures as Standard Webhooks says: HMAC-SHA256 over id, timestamp and body with full stops between, in base64, under
the secret behind `whsec_`; several of them with a space between, each after `v1,`. The timestamp is that of the try:
whoever verifies takes none that is five minutes off. Filters as schemas/README.md says.

What was answered with 2xx comes again where somebody asked for it, or where whoever sent it ended, was frozen or lost
what it had written down: between a fault and the moment when all was well again, and each time one webhook of each
subscriber. A try that was not answered with 2xx is no delivery, and what follows it is no repeat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Fault, Past, Subscribed, Webhook
from tests.faults.checker.ledger import Row

ALERT = "alert.issued"
AMENDS = ("corrected", "cancelled")
TOLERANCE = timedelta(minutes=5)
OF_THE_CLOCK = "clock_"
LOSES_WHAT_IT_HAD_WRITTEN = ("kill_postgres", "kill_supervisor", "fill_disk", "ledger_from")
"""Strikes after which results that were written and not synced are gone."""
INTERRUPTS = ("notifier", "kafka", "postgres", "supervisor", "topics", OF_THE_CLOCK)
INTERRUPTS_NOBODY_WHO_SENDS = "_between_"
"""On wires that are others'."""
INTERRUPTIONS = 2
"""Whoever sends is interrupted by the strike, and once more where the stack is started anew after it."""
ASKED_AGAIN = 5
"""So many alerts a strike asks for again, of whoever is told of all of them."""
ASKED_TWICE = "workers_notifier"


def judge(rows: Sequence[Row], past: Past, found: Findings, *, least: int = 0) -> None:
    """Look at what came to each; `least` are the alerts that have to have come for this to prove anything."""
    alerts = {row.event_id: row for row in rows if row.type == ALERT}
    for one in past.webhooks:
        if one.to not in past.subscribers:
            found.add("webhook_to_nobody", f"Webhook {one.id} came to {one.to!r}, who never subscribed.")
    least_level = _least_levels(rows)
    for name, subscribed in past.subscribers.items():
        came = [one for one in past.webhooks if one.to == name]
        _as_they_stand(came, alerts, subscribed, past, found)
        taken = [one for one in came if one.taken]
        had = {one.id for one in taken}
        told = [row for row in alerts.values() if row.position <= past.head_at_the_end or row.event_id in had]
        _what_they_asked_for(name, subscribed, told, least_level, had, found)
        _in_order([alerts[one.id] for one in taken if one.id in alerts], found)
        _once(name, subscribed, taken, past.faults, found)
        if subscribed.all:
            _ends_alike(told, taken, found)
    delivered = {one.id for one in past.webhooks if one.taken}
    if len(delivered) < least:
        found.add("too_few_webhooks", f"{len(delivered)} alerts came by webhook and {least} are the least.")


def _as_they_stand(
    came: Iterable[Webhook], alerts: Mapping[str, Row], to: Subscribed, past: Past, found: Findings
) -> None:
    """Each by itself: its signature, its bytes, its timestamp."""
    set_clock = any(fault.name.startswith(OF_THE_CLOCK) for fault in past.faults)
    for one in came:
        if not is_signed(one, to.secret):
            found.add("webhook_not_signed", f"Webhook {one.id} bears no signature that fits: {one.signature!r}.")
        if (row := alerts.get(one.id)) is None:
            found.add("webhook_of_nothing", f"Webhook {one.id} is no alert of the ledger.")
        elif one.body.encode() != row.bytes_on_the_wire:
            found.add("webhook_differs", f"Webhook {one.id} has other bytes than the ledger.", row.position)
        if not (one.timestamp.isascii() and one.timestamp.isdigit()):
            found.add("webhook_timestamp", f"Webhook {one.id} is of no moment: {one.timestamp!r}.")
        elif not set_clock:
            sent = int(one.timestamp)
            if abs(one.received_at - sent) > TOLERANCE.total_seconds():
                found.add("webhook_timestamp", f"Webhook {one.id} came at {one.received_at} and says {sent}.")
            if row is not None and sent < math.floor(row.recorded_at.timestamp()):
                found.add("webhook_timestamp", f"Webhook {one.id} was sent before it was recorded.", row.position)


def is_signed(one: Webhook, secret: str) -> bool:
    """Whether one of its signatures is of this secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{one.id}.{one.timestamp}.{one.body}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}" in one.signature.split(" ")


def takes(one: Subscribed, data: Mapping[str, Any]) -> bool:
    """Whether filters take an alert: a level counts on either side of a change."""
    level = max(data["from"], data["to"])
    return (one.minimum_level is None or level >= one.minimum_level) and (
        one.changes is None or data["change"] in one.changes
    )


def _what_they_asked_for(
    name: str, to: Subscribed, told: Iterable[Row], least_level: Mapping[str, int], had: set[str], found: Findings
) -> None:
    """What filters take has to come, and what takes back or ends an alert of a unit of which they were told since it
    began; of a unit of which they were never told nothing else may."""
    since_it_began: set[str] = set()
    ever: set[str] = set()
    for row in sorted(told, key=lambda row: row.position):
        data = row.wire["data"]
        unit = data["unit"]
        if not {"updates", "cancels"} & data.keys():
            since_it_began.discard(unit)
        ends = data["change"] in AMENDS or data["to"] < least_level.get(data["rules_hash"], 0)
        wanted = takes(to, data) or (ends and unit in since_it_began)
        if wanted and row.event_id not in had:
            found.add("webhook_missing", f"The alert at {row.position} never came to {name!r}.", row.position)
        if not wanted and row.event_id in had and unit not in ever:
            sentence = f"{name!r} was sent the alert at {row.position}, which their filters leave out."
            found.add("webhook_unwanted", sentence, row.position)
        if wanted or row.event_id in had:
            since_it_began.add(unit)
            ever.add(unit)


def _least_levels(rows: Iterable[Row]) -> Mapping[str, int]:
    """From which level there are alerts, by the hash of the rules."""
    texts = [row.wire["data"]["content"] for row in rows if row.type == "reference.rules_adopted"]
    return {hashlib.sha256(text.encode()).hexdigest(): tomllib.loads(text)["alerts"]["from_level"] for text in texts}


def _in_order(taken: Sequence[Row], found: Findings) -> None:
    """Each alert comes first behind all that were recorded before it; repeats come whenever they come."""
    last = 0
    seen: set[str] = set()
    for row in taken:
        if row.event_id not in seen and row.position < last:
            found.add("webhook_out_of_order", f"The alert at {row.position} came first after {last}.", row.position)
        seen.add(row.event_id)
        last = max(last, row.position)


def _once(name: str, to: Subscribed, taken: Iterable[Webhook], faults: Sequence[Fault], found: Findings) -> None:
    """What was taken before comes again only while a fault has not been mended, and not oftener than it explains."""
    seen: set[str] = set()
    repeats: Counter[int] = Counter()
    for one in taken:
        if one.id in seen:
            if one.begun == one.well:
                found.add("webhook_repeated", f"Webhook {one.id} came to {name!r} again while all was well.")
            else:
                repeats[one.begun - 1] += 1
        seen.add(one.id)
    for number, many in repeats.items():
        fault = faults[number]
        if many > (most := _explained(fault.name, to)):
            sentence = f"{many} webhooks came to {name!r} again after {fault.name}, which explains {most}."
            found.add("webhook_repeated", sentence)


def _explained(fault: str, to: Subscribed) -> float:
    """How many repeats there may be by a fault."""
    if any(name in fault for name in LOSES_WHAT_IT_HAD_WRITTEN):
        return math.inf
    asked = 0
    if to.all and fault.startswith(("webhooks_", ASKED_TWICE)):
        asked = ASKED_AGAIN * (2 if fault.startswith(ASKED_TWICE) else 1)
    interrupts = any(name in fault for name in INTERRUPTS) and INTERRUPTS_NOBODY_WHO_SENDS not in fault
    return asked + (INTERRUPTIONS if interrupts else 0)


def _ends_alike(alerts: Iterable[Row], taken: Sequence[Webhook], found: Findings) -> None:
    """A receiver that keeps of each unit the alert with the highest sequence, in whatever order they came and however
    often, knows what the ledger says."""
    known: dict[str, tuple[int, Any]] = {}
    for one in reversed(taken):
        event = json.loads(one.body)
        unit, at = event["data"]["unit"], int(event["sequence"])
        if known.get(unit, (0, None))[0] < at:
            known[unit] = (at, event["data"]["to"])
    last: dict[str, tuple[int, Any]] = {}
    for row in sorted(alerts, key=lambda row: row.position):
        last[row.wire["data"]["unit"]] = (row.position, row.wire["data"]["to"])
    for unit in sorted(known.keys() | last.keys()):
        if known.get(unit) != last.get(unit):
            found.add("webhook_state_differs", f"Of {unit} the receiver knows {known.get(unit)}, not {last.get(unit)}.")
