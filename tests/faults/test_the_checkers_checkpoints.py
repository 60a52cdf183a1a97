"""The checker judges what the notary signed: a log whose checkpoints are in order is clean, each tampering is named."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.faults.checker import checkpoints
from tests.faults.checker.findings import Findings
from tests.faults.checker.hashing import roots
from tests.faults.checker.history import Fault, Past
from tests.faults.checker.ledger import Row
from tests.faults.checker.records import CONTENT_TYPE, EVENTS, Record, Topics

ORIGIN = "log.example.org/intabaza"
BEGAN = datetime(2026, 5, 20, 10, tzinfo=UTC)
FIRST, SECOND, THIRD = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))


def public(key: Ed25519PrivateKey) -> str:
    """As it is handed on."""
    raw = b"\x01" + key.public_key().public_bytes_raw()
    return f"{ORIGIN}+{_number(key).hex()}+{base64.b64encode(raw).decode()}"


def _number(key: Ed25519PrivateKey) -> bytes:
    return sha256(ORIGIN.encode() + b"\n\x01" + key.public_key().public_bytes_raw()).digest()[:4]


def a_note(size: int, root: bytes, keys: Sequence[Ed25519PrivateKey], origin: str = ORIGIN) -> str:
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    signed = (base64.b64encode(_number(key) + key.sign(text.encode())).decode() for key in keys)
    return f"{text}\n" + "".join(f"— {origin} {one}\n" for one in signed)


@dataclass
class Log:
    """A ledger with checkpoints, and Kafka with the same bytes."""

    rows: list[Row] = field(default_factory=list)
    past: Past = field(default_factory=Past)
    altered_on_kafka: int | None = None

    def happens(self, many: int = 1) -> None:
        for _ in range(many):
            self._add("report.received", f"report/{len(self.rows)}", "home", "reporter", {"told": len(self.rows)})

    def is_signed(self, *keys: Ed25519PrivateKey, size: int | None = None, root: bytes | None = None) -> None:
        """The notary signs all that there is by now."""
        size = len(self.rows) if size is None else size
        root = self.root(size) if root is None else root
        note = a_note(size, root, keys or (FIRST,))
        data = {"size": size, "root": base64.b64encode(root).decode(), "note": note}
        self._add(checkpoints.CHECKPOINT, checkpoints.STREAM, checkpoints.HOME, "system", data)

    def root(self, size: int) -> bytes:
        return roots({row.position: row.bytes_on_the_wire for row in self.rows}, {size}).get(size, bytes(32))

    def _add(self, kind: str, stream: str, home: str, role: str, data: dict[str, Any]) -> None:
        wire = {"actorrole": role, "data": data}
        at, body = len(self.rows) + 1, json.dumps(wire).encode()
        self.rows.append(
            Row(at, stream, at, f"id-{at}", kind, home, BEGAN + timedelta(seconds=at), "", b"", body, wire)
        )

    def changes(self, at: int, **data: Any) -> None:
        """What stands at an index says something else, and its bytes do not."""
        wire = self.rows[at].wire
        self.rows[at] = replace(self.rows[at], wire={**wire, "data": {**wire["data"], **data}})

    def found(self) -> set[str]:
        found = Findings()
        checkpoints.judge(self.rows, self._topics(), self.past, found)
        return set(found.counts)

    def _topics(self) -> Topics:
        records = []
        for row in self.rows:
            headers = [("content-type", CONTENT_TYPE), ("position", b"%d" % row.position), ("previous", b"0")]
            value = row.bytes_on_the_wire + (b" " if row.position == self.altered_on_kafka else b"")
            records.append(Record(headers, value, row.position, 1, 0))
        return {EVENTS: {0: records}}


@pytest.fixture
def log() -> Log:
    """Five events and what was signed of three and of five; a third key that signs nothing yet."""
    one = Log(past=Past(log_keys=[public(key) for key in (FIRST, SECOND, THIRD)]))
    one.happens(3)
    one.is_signed()
    one.happens(2)
    one.is_signed()
    one.past.faults = [Fault("kill_notary", 2, well=4, through=3)]
    one.past.head_at_the_end, one.past.through_at_the_end = 7, 7
    return one


def test_a_log_in_order_is_clean(log: Log) -> None:
    assert log.found() == set()
    log.is_signed(FIRST, SECOND)
    log.is_signed(SECOND)
    assert log.found() == set()


def test_a_tree_is_hashed_as_rfc_6962_says() -> None:
    def by_definition(entries: Sequence[bytes]) -> bytes:
        if len(entries) == 1:
            return sha256(b"\0" + entries[0]).digest()
        left = 1 << (len(entries) - 1).bit_length() - 1
        return sha256(b"\1" + by_definition(entries[:left]) + by_definition(entries[left:])).digest()

    entries = {number: b"%d" % number for number in range(1, 70)}
    own = roots(entries, set(entries))
    assert own == {size: by_definition(list(entries.values())[:size]) for size in entries}


def alter_what_was_signed(log: Log) -> None:
    log.rows[1] = replace(log.rows[1], body=b'{"told": "otherwise"}')


def alter_it_on_kafka(log: Log) -> None:
    log.altered_on_kafka = 2


def cut_the_ledger(log: Log) -> None:
    log.is_signed(size=20)


def sign_less_than_before(log: Log) -> None:
    log.is_signed(size=3)


def sign_another_root(log: Log) -> None:
    log.is_signed(size=6, root=bytes(32))


def sign_one_size_twice(log: Log) -> None:
    log.is_signed(size=6, root=log.root(5))


def forge_a_signature(log: Log) -> None:
    note = log.rows[-1].wire["data"]["note"]
    log.changes(-1, note=note.replace("\n6\n", "\n5\n"))


def sign_as_a_stranger(log: Log) -> None:
    log.is_signed(Ed25519PrivateKey.generate())


def sign_in_no_form(log: Log) -> None:
    log.changes(-1, note="6 events")


def say_another_size_than_the_note(log: Log) -> None:
    log.changes(-1, size=5)


def sign_another_log(log: Log) -> None:
    size = len(log.rows)
    log.is_signed()
    log.changes(-1, note=a_note(size, log.root(size), [FIRST], "another.example.org") + _line_of(log, size))


def _line_of(log: Log, size: int) -> str:
    """The signature of our key under another log's name."""
    text = f"another.example.org\n{size}\n{base64.b64encode(log.root(size)).decode()}\n"
    return f"— {ORIGIN} {base64.b64encode(_number(FIRST) + FIRST.sign(text.encode())).decode()}\n"


def sign_in_somebodys_name(log: Log) -> None:
    log.rows[-1] = replace(log.rows[-1], wire={**log.rows[-1].wire, "actorrole": "reviewer"})


def sign_with_a_new_key_alone(log: Log) -> None:
    log.is_signed(SECOND)


def sign_with_an_old_key_again(log: Log) -> None:
    log.is_signed(FIRST, SECOND)
    log.is_signed(FIRST)


def sign_with_both_for_ever(log: Log) -> None:
    log.is_signed(FIRST, SECOND)
    log.is_signed(FIRST, SECOND)


def sign_what_kafka_lacks(log: Log) -> None:
    log.past.faults[0].unsent = (4, 7)


def sign_while_it_has_to_stand_still(log: Log) -> None:
    log.past.faults[0].signs_nothing = (4, 7)


def sign_nothing_of_the_end(log: Log) -> None:
    log.happens()
    log.past.head_at_the_end = log.past.through_at_the_end = 8


def sign_too_late(log: Log) -> None:
    """At the end all is signed, and when all was well before that it was not."""
    log.past.faults[0] = Fault("kill_notary", 2, well=6, through=5)


def sign_nothing(log: Log) -> None:
    log.rows = [row for row in log.rows if row.type != checkpoints.CHECKPOINT]


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (alter_what_was_signed, "checkpoint_differs_from_ledger"),
        (alter_it_on_kafka, "checkpoint_differs_from_kafka"),
        (cut_the_ledger, "checkpoint_differs_from_ledger"),
        (cut_the_ledger, "checkpoint_of_what_is_to_come"),
        (sign_less_than_before, "checkpoint_size_falls"),
        (sign_another_root, "checkpoint_differs_from_ledger"),
        (sign_one_size_twice, "checkpoint_two_roots"),
        (forge_a_signature, "checkpoint_not_signed"),
        (sign_as_a_stranger, "checkpoint_not_signed"),
        (sign_in_no_form, "checkpoint_not_signed"),
        (say_another_size_than_the_note, "checkpoint_note_differs"),
        (sign_another_log, "checkpoint_note_differs"),
        (sign_in_somebodys_name, "checkpoint_of_somebody"),
        (sign_with_a_new_key_alone, "checkpoint_by_another_key"),
        (sign_with_an_old_key_again, "checkpoint_by_another_key"),
        (sign_with_both_for_ever, "checkpoint_by_another_key"),
        (sign_what_kafka_lacks, "checkpoint_beyond_kafka"),
        (sign_while_it_has_to_stand_still, "checkpoint_while_halted"),
        (sign_nothing_of_the_end, "checkpoint_missing"),
        (sign_too_late, "checkpoint_missing"),
        (sign_nothing, "checkpoint_missing"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_tampering_is_named(log: Log, tamper: Callable[[Log], None], code: str) -> None:
    tamper(log)
    assert code in log.found()


def test_what_strikes_say_excuses_nothing_before_and_nothing_after(log: Log) -> None:
    log.past.faults = [
        replace(log.past.faults[0], unsent=(3, 6), signs_nothing=(4, 6)),
        Fault("notary_while_nothing_is_sent", 6, unsent=(6, 9)),
    ]
    assert log.found() == set()
