"""Which witnesses are asked to cosign the log: an operator writes a file, each line an address and a key.

https://witness.example.org/prefix  witness.example.org/w1+0a1b2c3d+BF…
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yarl import URL

from services.local_problem import LocalProblem
from services.tlog.notes import NAME, Kind, NoteRefused, Verifier

ADD = "/add-checkpoint"
"""Where below its address a witness is asked (C2SP tlog-witness)."""

MOST_WITNESSES = 32
LONGEST_URL, LONGEST_KEY = 2_000, 1_000
"""Bytes that the database takes of each."""
EXPECTED = "expected an address and a key with a space between, like `https://witness.example.org NAME+NUMBER+KEY`"


class WitnessesRefused(LocalProblem):
    """The file of witnesses cannot be used; the message names the file and the line, and says what was expected."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who is asked to cosign: where, and the key by which their cosignatures are verified."""

    url: str
    key: Verifier

    @property
    def asked_at(self) -> str:
        """The address that a checkpoint is sent to."""
        return self.url.rstrip("/") + ADD


class Named:
    """Who is asked to cosign, as their file said it last: an operator may write it anew at any time."""

    def __init__(self, file: Path | None = None, now: Sequence[Witness] = ()) -> None:
        self._file = file
        self.now = tuple(now)

    @classmethod
    def read(cls, file: Path | None) -> Named:
        """Those of a file, nobody without one; raises WitnessesRefused."""
        return cls(file, read_witnesses(file) if file is not None else ())

    def look(self) -> bool:
        """Whether the file names others by now; raises WitnessesRefused, and those of before stay."""
        before = self.now
        if self._file is not None:
            text = _text_of(self._file)
            if before and not text:
                raise WitnessesRefused(
                    f"{self._file} is empty, as it is while somebody writes it: where nobody is to be asked any more, "
                    "write a line that begins with #."
                )
            self.now = _said_in(text, self._file)
        return self.now != before


def read_witnesses(file: Path) -> tuple[Witness, ...]:
    """Those of a file, in its order; raises WitnessesRefused."""
    return _said_in(_text_of(file), file)


def _text_of(file: Path) -> str:
    try:
        if file.exists() and not file.is_file():  # a pipe would be waited for without an end
            raise WitnessesRefused(f"{file}, which INTABAZA_NOTARY_WITNESSES_FILE names, is no file: {EXPECTED}.")
        return file.read_text("utf-8")
    except OSError as error:
        raise WitnessesRefused(
            f"{file}, which INTABAZA_NOTARY_WITNESSES_FILE names, cannot be read ({error.strerror}): put it there, or "
            "leave the setting out."
        ) from None
    except UnicodeDecodeError:
        raise WitnessesRefused(f"{file} is no text in UTF-8: {EXPECTED} in each line.") from None


def _said_in(text: str, file: Path) -> tuple[Witness, ...]:
    found: dict[str, int] = {}
    witnesses = []
    for number, said in _lines(text):
        where = f"{file}, line {number}"
        one = _read(said, where)
        if (first := found.setdefault(str(one.key), number)) != number:
            raise WitnessesRefused(f"{where}: the key of {one.key.name} stands in line {first} already: leave one out.")
        witnesses.append(one)
    if len(witnesses) > MOST_WITNESSES:
        raise WitnessesRefused(f"{file} names {len(witnesses)} witnesses: at most {MOST_WITNESSES} are asked.")
    return tuple(witnesses)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """What is said, by the numbers of its lines; what follows a # is for people."""
    for number, line in enumerate(text.splitlines(), 1):
        if (said := line.strip()) and not said.startswith("#"):
            yield number, said.partition(" #")[0]


def _read(said: str, where: str) -> Witness:
    parts = said.split()
    if len(parts) != 2:
        raise WitnessesRefused(f"{where}: {EXPECTED}.")
    url, key = parts
    if problem := _wrong_with(url):
        raise WitnessesRefused(f"{where}: the address {problem}, like https://witness.example.org/prefix.")
    try:
        verifier = Verifier.parse(key)
    except NoteRefused as refused:
        raise WitnessesRefused(f"{where}: {refused}.") from None
    if not NAME.fullmatch(verifier.name) or len(key.encode()) > LONGEST_KEY:
        raise WitnessesRefused(
            f"{where}: the name in this key is too long, or holds what cannot be seen: copy it again."
        )
    if verifier.kind is not Kind.COSIGNATURE:
        raise WitnessesRefused(
            f"{where}: this key of {verifier.name} is one that signs a log, and not one that cosigns: ask the witness "
            "for the other; of ours, `intabaza witness keys` shows it."
        )
    return Witness(url, verifier)


def _wrong_with(said: str) -> str:
    """What is wrong with an address; nothing where it can be asked."""
    if not said.isprintable():
        return "holds what cannot be seen: expected one"
    try:
        url = URL(said)
    except ValueError:
        return "cannot be read: expected one"
    if url.scheme not in ("https", "http") or not url.host or len(said.encode()) > LONGEST_URL:
        return f"is none that can be asked: expected https or http, a name, and at most {LONGEST_URL} bytes"
    if url.user is not None or url.password is not None:
        return "holds a name or a password, and everybody who sees how witnesses stand would see it: expected one"
    if url.query_string or url.fragment or "?" in said or "#" in said:
        return "ends in ? or #, and what is asked is added to it: expected one"
    return ""
