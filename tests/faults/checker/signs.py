"""Check-ins that were acknowledged and held: each on the log once, when its day is over, and none that nobody gave.

Who gave one is sealed there, so they are counted by what is in clear: a person has one of each day and channel.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Past, Sent
from tests.faults.checker.ledger import Row

SIGN = "reporter.checked_in"
ADDRESS = "/v1/reporters/check-in"
MARGIN = timedelta(minutes=2)
"""How long after its day one may still be on its way."""
MAY_HOLD_BACK = ("_and_back", "_alone")
MAY_TAKE_AWAY = "keys_"
"""Strikes after which one waits for another day, or is gone with its key: what is owed is not said of such a run."""

Kind = tuple[str, str]


def judge(rows: Sequence[Row], past: Past, found: Findings) -> None:
    """Look at every sign that came onto the log in this run."""
    given: dict[Kind, dict[str, datetime]] = defaultdict(dict)
    for one in past.acknowledged:
        if one.path == ADDRESS and one.held_until is not None:
            until = given[_recorded_as_of(one), one.body["channel"]]
            until[one.person] = min(one.held_until, until.get(one.person, one.held_until))
    recorded: Counter[Kind] = Counter()
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        if row.type != SIGN or row.position <= past.head:
            continue
        on, channel = row.wire["data"]["on"], row.wire["data"]["channel"]
        if (row.stream, on, channel) in seen:
            found.add("sign_twice", f"{row.stream} has two signs of {on} by {channel}.", row.position)
        seen.add((row.stream, on, channel))
        recorded[on, channel] += 1
    for kind in sorted(given.keys() | recorded.keys()):
        if recorded[kind] > len(given[kind]):
            sentence = f"{recorded[kind]} signs of {kind} are recorded, and {len(given[kind])} were given."
            found.add("sign_of_nobody", sentence)
        owed = sum(until + MARGIN <= past.ended_at for until in given[kind].values()) if past.ended_at else 0
        if recorded[kind] < owed and not any(
            fault.name.endswith(MAY_HOLD_BACK) or fault.name.startswith(MAY_TAKE_AWAY) for fault in past.faults
        ):
            found.add("sign_missing", f"{owed} signs of {kind} should be recorded, and {recorded[kind]} are.")


def _recorded_as_of(one: Sent) -> str:
    """Its day; the Monday of its week where it came later, so that it is held for longer than its own day."""
    on = date.fromisoformat(one.body["on"])
    assert one.held_until is not None
    late = (one.held_until - datetime.combine(on, time(), UTC)) > timedelta(days=1, hours=12)
    return str(on - timedelta(days=on.weekday()) if late else on)
