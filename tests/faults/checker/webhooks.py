"""What came by webhook: every alert of the ledger, with its bytes and a signature of ours, and nothing else.

Signatures as Standard Webhooks says: HMAC-SHA256 over id, timestamp and body with full stops between, in base64, under
the secret behind `whsec_`; several of them with a space between, each after `v1,`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Past, Webhook
from tests.faults.checker.ledger import Row

ALERT = "alert.issued"


def judge(rows: Sequence[Row], past: Past, found: Findings) -> None:
    """Look at what came, where anybody was told."""
    if past.secret is None:
        return
    alerts = {row.event_id: row for row in rows if row.type == ALERT}
    for one in past.webhooks:
        if not is_signed(one, past.secret):
            found.add("webhook_not_signed", f"Webhook {one.id} bears no signature that fits: {one.signature!r}.")
        if (row := alerts.get(one.id)) is None:
            found.add("webhook_of_nothing", f"Webhook {one.id} is no alert of the ledger.")
        elif one.body.encode() != row.bytes_on_the_wire:
            found.add("webhook_differs", f"Webhook {one.id} has other bytes than the ledger.", row.position)
    taken = [one for one in past.webhooks if one.taken]
    had = {one.id for one in taken}
    told = [row for row in alerts.values() if row.position <= past.head_at_the_end or row.event_id in had]
    for row in told:
        if row.event_id not in had:
            found.add("webhook_missing", f"The alert at {row.position} never came by webhook.", row.position)
    _in_order([alerts[one.id] for one in taken if one.id in alerts], found)
    _ends_alike(told, taken, found)


def is_signed(one: Webhook, secret: str) -> bool:
    """Whether one of its signatures is of this secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{one.id}.{one.timestamp}.{one.body}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}" in one.signature.split(" ")


def _in_order(taken: Sequence[Row], found: Findings) -> None:
    """Each alert comes first behind all that were recorded before it; repeats come whenever they come."""
    last = 0
    seen: set[str] = set()
    for row in taken:
        if row.event_id not in seen and row.position < last:
            found.add("webhook_out_of_order", f"The alert at {row.position} came first after {last}.", row.position)
        seen.add(row.event_id)
        last = max(last, row.position)


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
