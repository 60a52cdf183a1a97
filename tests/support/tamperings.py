"""What somebody with every right over ledger and Kafka, but without the key, can do to history at one position."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.signed_logs import LogKey, at_position, note

Wires = list[bytes]
Tampering = Callable[[Wires, int], int]
"""Does it to the events' bytes at a position, and returns the first position that is bad then."""


def edit(wires: Wires, position: int) -> int:
    change(wires, position, actorref="00000000-0000-8000-8000-000000000000")
    return position


def change_a_type(wires: Wires, position: int) -> int:
    change(wires, position, type="report.withdrawn")
    return position


def move_to_another_stream(wires: Wires, position: int) -> int:
    """As the first event of a stream that nobody else writes to, so that no number is amiss in it."""
    change(wires, position, subject="report/elsewhere", streamversion=1)
    return position


def change_ciphertext(wires: Wires, position: int) -> int:
    """One letter of a text in the data, wherever there is one."""
    event = json.loads(wires[position - 1])
    key = next(iter(event["data"]))
    change(wires, position, data={**event["data"], key: _turned(event["data"][key])})
    return position


def drop(wires: Wires, position: int) -> int:
    del wires[position - 1]
    return position


def drop_and_close_the_gap(wires: Wires, position: int) -> int:
    del wires[position - 1]
    _number_from(wires, position)
    return position


def insert(wires: Wires, position: int) -> int:
    """An event that never was, with all behind it moved on."""
    wires.insert(position - 1, wires[position - 1])
    change(wires, position, subject="report/invented", streamversion=1)
    _number_from(wires, position)
    return position


def repeat(wires: Wires, position: int) -> int:
    wires.insert(position, wires[position - 1])
    return position + 1


def swap(wires: Wires, position: int) -> int:
    """With the one before it, or of the first two."""
    first = max(position - 1, 1)
    wires[first - 1], wires[first] = wires[first], wires[first - 1]
    return first


def swap_and_number(wires: Wires, position: int) -> int:
    first = swap(wires, position)
    for number in (first, first + 1):
        wires[number - 1] = at_position(wires[number - 1], number)
    return first


def truncate(wires: Wires, position: int) -> int:
    del wires[position - 1 :]
    return position


def fork(wires: Wires, position: int) -> int:
    """Another history from there on."""
    for number in range(position, len(wires) + 1):
        change(wires, number, actorrole="analyst")
    return position


def backdate(wires: Wires, position: int) -> int:
    """To before what was recorded before it; the first event of all to a day before it."""
    change(wires, position, time="2015-01-01T00:00:00.000000Z")
    return position


def backdate_a_little(wires: Wires, position: int) -> int:
    """To the moment of the one before it, so that the order is as it should be; or the next that has not that moment
    already, as those have that were recorded together."""
    while position > 1 and _time(wires, position) == _time(wires, position - 1):
        position = position % len(wires) + 1
    change(wires, position, time=_time(wires, position - 1) if position > 1 else "2015-04-26T00:00:00.000000Z")
    return position


def replay_a_checkpoint(wires: Wires, position: int) -> int:
    """The first one of all is recorded again where a later one was: the next such place, or the first where none is."""
    first, *later = checkpoints_in(wires)
    place = next((at for at in later if at >= position), later[0])
    change(wires, place, data=json.loads(wires[first - 1])["data"])
    return place


def checkpoints_in(wires: Wires) -> list[int]:
    """The positions at which checkpoints are recorded."""
    return [number for number, wire in enumerate(wires, 1) if b'"type":"custody.log_checkpointed"' in wire]


def sign_again(wires: Wires, position: int, key: LogKey) -> list[str]:
    """Change a position, and let every checkpoint that covers it, wherever it is recorded, be signed anew by one key.

    Returns all checkpoints as they are then.
    """
    edit(wires, position)
    for place in checkpoints_in(wires):
        data = json.loads(wires[place - 1])["data"]
        if data["size"] >= position:
            signed = note(wires, data["size"], key)
            change(wires, place, data={**data, "root": signed.split("\n")[2], "note": signed})
    return [json.loads(wires[place - 1])["data"]["note"] for place in checkpoints_in(wires)]


def _time(wires: Wires, position: int) -> str:
    return str(json.loads(wires[position - 1])["time"])


TAMPERINGS: Mapping[str, Tampering] = {
    one.__name__: one
    for one in (
        edit, change_a_type, move_to_another_stream, change_ciphertext, drop, drop_and_close_the_gap, insert, repeat,
        swap, swap_and_number, truncate, fork, backdate, backdate_a_little, replay_a_checkpoint,
    )
}  # fmt: skip


def change(wires: Wires, position: int, **attributes: Any) -> None:
    """An event with other attributes, written as canonically as the ledger writes."""
    event = json.loads(wires[position - 1]) | attributes
    sequence, moment = event.pop("sequence"), event.pop("time")
    body = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    wires[position - 1] = b'{"sequence":"%s","time":"%s",' % (sequence.encode(), moment.encode()) + body[1:]


def _number_from(wires: Wires, position: int) -> None:
    for number in range(position, len(wires) + 1):
        wires[number - 1] = at_position(wires[number - 1], number)


def _turned(value: Any) -> Any:
    """Another value."""
    return ("B" if value[:1] == "A" else "A") + value[1:] if isinstance(value, str) else "A"
