"""Signed notes of C2SP: texts under Ed25519 signatures of named keys, and the cosignatures of witnesses.

A note is its text, an empty line, and a line for each signature: an em dash, the key's name, and in base64 the key's
number (four bytes) with the signature. Signatures of unknown keys mean nothing; one of a known key that does not fit
spoils the whole note.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LARGEST_NOTE = 1_000_000
"""Characters of a note that is read at all; sixteen signatures of any kind fit in."""

NAME = re.compile(r"[^\s+\x00-\x1f]{1,300}")

_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_SIGNED = re.compile(r"(.*\n)\n((?:— [^\n ]+ [^\n ]+\n)+)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8


class NoteRefused(ValueError):
    """A note, a key or a signature cannot be believed; the message says why."""


class Kind(IntEnum):
    """The signature types that are used here, by the byte that stands for them."""

    NOTE = 1
    COSIGNATURE = 4


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key that signs notes, or cosigns them, under a name."""

    name: str
    public: bytes
    kind: Kind = Kind.NOTE

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read `name+number+base64`, as keys are handed on; raises NoteRefused."""
        found = _KEY.fullmatch(text.strip())
        raw = _decoded(found[3]) if found else b""
        if not found or len(raw) != 33 or raw[0] not in tuple(Kind):
            raise NoteRefused("this is no Ed25519 key: expected name+number+base64, in one line")
        key = cls(found[1], raw[1:], Kind(raw[0]))
        if key.number.hex() != found[2]:
            raise NoteRefused(f"the number {found[2]} does not belong to this key of {key.name}: copy it again, whole")
        return key

    @property
    def number(self) -> bytes:
        """The first four bytes of the hash over name, type and key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.number.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether this key made this signature of this text."""
        signed = text.encode()
        if self.kind is Kind.COSIGNATURE:
            signed, signature = _at(int.from_bytes(signature[:_TIME_BYTES]), text), signature[_TIME_BYTES:]
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key that signs notes under a name. Its repr shows nothing."""

    __slots__ = ("_private", "name")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        if not NAME.fullmatch(name):
            raise NoteRefused("the name of a key holds no space and no +, and is not empty")
        self.name = name
        self._private = private

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"

    def verifier(self, kind: Kind = Kind.NOTE) -> Verifier:
        """The public key to it."""
        return Verifier(self.name, self._private.public_key().public_bytes_raw(), kind)

    def sign(self, text: str) -> str:
        """The signature line of this text."""
        return _line(self.name, self.verifier().number + self._private.sign(text.encode()))

    def cosign(self, text: str, seconds: int) -> str:
        """The line by which a witness says that, at this Unix time, this was the largest tree that it had seen."""
        signature = seconds.to_bytes(_TIME_BYTES) + self._private.sign(_at(seconds, text))
        return _line(self.name, self.verifier(Kind.COSIGNATURE).number + signature)


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note: whose it says that it is, and its bytes."""

    name: str
    number: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read a line, without its end; raises NoteRefused."""
        name, _, coded = line.removeprefix("— ").partition(" ")
        raw = _decoded(coded)
        if len(raw) <= 4 or not NAME.fullmatch(name):
            raise NoteRefused(
                "a line under this note is no signature: expected a name, and base64 of more than four bytes"
            )
        return cls(name, raw[:4], raw[4:])

    def __str__(self) -> str:
        return _line(self.name, self.number + self.signature)

    @property
    def seconds(self) -> int:
        """Where it is a cosignature, the Unix time that it says it is of."""
        return int.from_bytes(self.signature[:_TIME_BYTES])

    def is_by(self, key: Verifier) -> bool:
        """Whether it says that it is of this key; `accepts` says whether it is."""
        return (self.name, self.number) == (key.name, key.number)


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and the signatures that stand under it; nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, whole: str) -> Note:
        """Read a signed note; raises NoteRefused."""
        if len(whole) > LARGEST_NOTE:
            raise NoteRefused(f"this note is longer than {LARGEST_NOTE} characters")
        found = _SIGNED.fullmatch(whole)
        if not found or _CONTROL.search(whole):
            raise NoteRefused("this is no signed note: expected a text, an empty line, and lines of signatures")
        return cls(found[1], tuple(map(Signature.parse, found[2].splitlines())))

    def signed_by(self, keys: Collection[Verifier]) -> list[Verifier]:
        """Which of these keys signed it; raises NoteRefused where none did, or the signature of one does not fit."""
        signed = []
        for line in self.signatures:
            for key in keys:
                if line.is_by(key):
                    if not key.accepts(self.text, line.signature):
                        raise NoteRefused(f"the signature of {key.name} does not fit: this is not what it signed")
                    signed.append(key)
        if not signed:
            raise NoteRefused("no key that is known here signed this")
        return signed


def written(text: str, *lines: str) -> str:
    """The whole note: a text and its signature lines."""
    return f"{text}\n{''.join(lines)}"


def _line(name: str, numbered: bytes) -> str:
    return f"— {name} {b64encode(numbered).decode()}\n"


def _at(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
