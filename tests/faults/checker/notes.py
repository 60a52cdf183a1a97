"""Signed notes as C2SP publishes them (signed-note, tlog-checkpoint): a text and who signed it with Ed25519."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"


class Unreadable(Exception):
    """It is no note, or no key; the message says why."""


class Key(NamedTuple):
    """A public key and the name and number under which it signs."""

    name: str
    number: bytes
    public: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        """As it is handed on: name+number+base64. Raises Unreadable."""
        name, number, coded = text.split("+", 2)
        raw = base64.b64decode(coded, validate=True)
        own = sha256(name.encode() + b"\n" + raw).digest()[:4]
        if raw[:1] != ED25519 or len(raw) != 33 or own.hex() != number:
            raise Unreadable(f"{text} is no key of a log")
        return cls(name, own, raw[1:])

    def signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class Note(NamedTuple):
    """A checkpoint: which log, how many leaves, which root; and the numbers of those of some keys that signed it."""

    origin: str
    size: int
    root: bytes
    signers: tuple[int, ...]


def read(note: str, keys: Sequence[Key]) -> Note:
    """Raises Unreadable, also where a signature of one of the keys does not fit."""
    text, between, below = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    if not between or len(lines) != 4:
        raise Unreadable("it is no checkpoint with signatures below it")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
        signers = tuple(sorted(number for line in below.splitlines() for number in _signed(text, line, keys)))
    except (ValueError, binascii.Error) as error:
        raise Unreadable(str(error)) from error
    if str(size) != lines[1] or len(root) != 32:
        raise Unreadable("its size or its root is not written as it has to be")
    return Note(origin, size, root, signers)


def _signed(text: str, line: str, keys: Sequence[Key]) -> list[int]:
    """Which key stands in a signature line, by its place among the keys; none for a stranger's. Raises Unreadable."""
    dash, name, coded = line.split(" ")
    raw = base64.b64decode(coded, validate=True)
    if dash != "—":
        raise Unreadable("a line below it is no signature")
    found = [at for at, key in enumerate(keys) if (key.name, key.number) == (name, raw[:4])]
    for at in found:
        if not keys[at].signed(text, raw[4:]):
            raise Unreadable(f"the signature of key {keys[at].number.hex()} does not fit")
    return found
