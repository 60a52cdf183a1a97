"""Check-ins that were acknowledged and held: each in the vault until its day is over, then on the log once, in its
reporter's stream, not before that day is over and soon after; and none that nobody gave.

Who gave one is sealed there, but whose stream it stands in is not: enrolling somebody answers which that is. All signs
that came together stand in the order of their streams, under one time, since any other order would tell who came when.

What delays a sign is seen in positions and not by a clock: when all was well again after a fault, none was overdue, so
one that was due by then stands before that. Excused is what a strike touched and nothing else: a clock that was turned
back after a sign was given and told a day that had not come, or was so far ahead when it was given, or a key that was
destroyed and that the sign is sealed under, which the strike names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from tests.faults.checker.findings import Findings, NotModelled
from tests.faults.checker.history import Fault, Past, Sent
from tests.faults.checker.ledger import Row

SIGN = "reporter.checked_in"
ADDRESS, ENROL = "/v1/reporters/check-in", "/v1/reporters/enrol"
MARGIN = timedelta(minutes=2)
"""How far clocks may be apart."""
TURNED_BACK, ALONE = "_and_back", "_alone"
ALONE_AHEAD = timedelta(hours=3)
"""So far PostgreSQL's clock alone is set, and nothing that is recorded tells it."""

FAR_AHEAD = timedelta(days=9)
"""A sign is held for a week at most, and one of two days ahead is held no more."""

Held = tuple[str, str, str]
"""What the vault keeps of a check-in in clear: of which stream, of which day, and over which channel."""

Kind = tuple[str, str]
"""As of which day it is recorded, and over which channel it came."""


class Given(NamedTuple):
    """One check-in as it was answered. `well_before`: how many faults were over by then."""

    person: str
    on: str
    kind: Kind
    until: datetime
    well_before: int


def judge(rows: Sequence[Row], past: Past, held: Set[Held], found: Findings, *, least: int = 0) -> int:
    """Look at every sign that came onto the log in this run, and at those held; returns how many that were given before
    a fault are there after it, which have to be `least`. Raises NotModelled."""
    given = [_given(one, one.held_until) for one in past.acknowledged if one.path == ADDRESS and one.held_until]
    owners = _owners(past)
    signs = [row for row in rows if row.type == SIGN and row.position > past.head]
    recorded: dict[tuple[str, Kind], Row] = {}
    for row in signs:
        kind = row.wire["data"]["on"], row.wire["data"]["channel"]
        if (row.stream, kind) in recorded:
            found.add("sign_twice", f"{row.stream} has two signs of {kind}.", row.position)
        recorded[row.stream, kind] = row
        if not any(one.kind == kind and one.person == owners.get(row.stream) for one in given):
            found.add(
                "sign_of_nobody", f"{row.stream} has a sign of {kind} that its reporter never gave.", row.position
            )
    _together(signs, found)
    _held_of_nobody(held, given, owners, found)
    outlived = 0
    whens = {row.position: row.recorded_at for row in rows}
    for person, theirs in _by_person(given).items():
        if len(streams := [stream for stream, name in owners.items() if name == person]) != 1:
            raise NotModelled(f"{person} checked in and is enrolled in {len(streams)} streams that are known")
        for same in _of_one_day(theirs):
            there = [recorded[at] for one in same if (at := (streams[0], one.kind)) in recorded]
            waits = (streams[0], same[0].on, same[0].kind[1]) in held
            _judge_one(same, there, waits, whens, past, found)
            outlived += bool(there or waits) and any(one.well_before < len(past.faults) for one in same)
        for kind, alike in _of_one_kind(theirs).items():
            if (sign := recorded.get((streams[0], kind))) is not None:
                _judge_early(alike, sign, whens, past, found)
    if outlived < least:
        found.add("too_few_signs", f"{outlived} check-ins outlived a fault and {least} are the least.")
    return outlived


def _held_of_nobody(held: Set[Held], given: Iterable[Given], owners: Mapping[str, str], found: Findings) -> None:
    theirs = {(one.person, one.on, one.kind[1]) for one in given}
    for stream, on, channel in sorted(held):
        if (owners.get(stream), on, channel) not in theirs:
            found.add("sign_of_nobody", f"The vault holds a sign of {on} for {stream} that its reporter never gave.")


def _given(one: Sent, until: datetime) -> Given:
    on = date.fromisoformat(one.body["on"])
    late = (until - datetime.combine(on, time(), UTC)) > timedelta(days=1, hours=12)
    as_of = on - timedelta(days=on.weekday()) if late else on
    return Given(one.person, one.body["on"], (str(as_of), one.body["channel"]), until, one.well_before)


def _owners(past: Past) -> Mapping[str, str]:
    """Who stands behind each stream: enrolled in this run, as the answers said."""
    names = {phone: name for name, phone in past.phones.items()}
    enrolled = [one for one in past.acknowledged if one.path == ENROL]
    return {
        event["stream"]: name
        for one in enrolled
        for event in one.accepted[0]
        if (name := names.get(one.body["who"].get("phone"))) is not None
    }


def _by_person(given: Iterable[Given]) -> Mapping[str, list[Given]]:
    by_person: dict[str, list[Given]] = defaultdict(list)
    for one in given:
        by_person[one.person].append(one)
    return by_person


def _of_one_day(theirs: Iterable[Given]) -> Iterable[list[Given]]:
    """Those of a day and channel: what was said last stands, so one sign is owed for them all."""
    days: dict[Kind, list[Given]] = defaultdict(list)
    for one in theirs:
        days[one.on, one.kind[1]].append(one)
    return days.values()


def _of_one_kind(theirs: Iterable[Given]) -> Mapping[Kind, list[Given]]:
    """Those that one sign on the log may be: late ones of several days of a week among them, which are all its one."""
    kinds: dict[Kind, list[Given]] = defaultdict(list)
    for one in theirs:
        kinds[one.kind].append(one)
    return kinds


def _judge_early(alike: Sequence[Given], row: Row, whens: Mapping[int, datetime], past: Past, found: Findings) -> None:
    """A sign that is there came no earlier than one of those who gave it was due."""
    if not any(row.recorded_at >= one.until or _may_be_early(one, past, whens) for one in alike):
        first = min(one.until for one in alike)
        found.add("sign_early", f"A sign of {alike[0].kind} is recorded before {first}.", row.position)


def _may_be_early(one: Given, past: Past, whens: Mapping[int, datetime]) -> bool:
    return bool(_turned_back_since(one, past, whens)) or _given_in_days_to_come(one, past, whens)


def _turned_back_since(one: Given, past: Past, whens: Mapping[int, datetime]) -> list[Fault]:
    return [fault for fault in past.faults[one.well_before :] if _told_a_later_day(fault, one, whens)]


def _judge_one(
    same: Sequence[Given],
    there: Sequence[Row],
    waits: bool,
    whens: Mapping[int, datetime],
    past: Past,
    found: Findings,
) -> None:
    """One that was given, once or again: whether it is there or waits, and came as soon as it had to."""
    one = min(same, key=lambda given: given.until)
    if not there:
        last = max(past.silenced.get(one.person, ()), default=-1)
        silenced = all(given.well_before <= last for given in same)
        due = past.ended_at is not None and one.until + MARGIN <= past.ended_at
        if (due or not waits) and not silenced:
            where = "is not there" if due else "is neither there nor held"
            found.add("sign_missing", f"{one.person} gave a sign of {one.kind}, due at {one.until}, and it {where}.")
        return
    row = min(there, key=lambda row: row.position)
    well = [fault.well for fault in past.faults if fault.well is not None and fault.well < row.position]
    if any(whens[at] >= one.until + MARGIN for at in well if at in whens) and not _turned_back_since(one, past, whens):
        found.add("sign_late", f"All was well, and a sign of {one.kind}, due at {one.until}, not there.", row.position)


def _told_a_later_day(fault: Fault, one: Given, whens: Mapping[int, datetime]) -> bool:
    """Whether a clock went past the end of its day and was turned back: it was due then, and is again."""
    if not fault.name.endswith((TURNED_BACK, ALONE)):
        return False
    last = whens.get(fault.well) if fault.well is not None else max(whens.values())
    ahead = ALONE_AHEAD if fault.name.endswith(ALONE) else timedelta(0)
    return last is not None and one.until <= last + ahead + MARGIN


def _given_in_days_to_come(one: Given, past: Past, whens: Mapping[int, datetime]) -> bool:
    """Whether a clock that was turned back told a day far ahead when it was given. That day may never come, so it waits
    for none: it comes with the next signs of whatever day it is."""
    if one.well_before >= len(past.faults):
        return False
    fault = past.faults[one.well_before]
    began = max((when for position, when in whens.items() if position <= fault.acknowledged), default=None)
    return fault.name.endswith(TURNED_BACK) and began is not None and one.until > began + FAR_AHEAD


def _together(signs: Sequence[Row], found: Findings) -> None:
    """Those of one command have one time, and stand in the order of their streams."""
    for before, row in pairwise(signs):
        if before.command_id != row.command_id:
            continue
        if before.stream > row.stream or before.recorded_at != row.recorded_at:
            found.add("sign_order_tells", "Signs that came together do not stand by their streams.", row.position)
