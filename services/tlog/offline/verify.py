#!/usr/bin/env python3
"""Verifies a bundle of an Intabaza log, or an evidence pack of one case: that its events are those that were signed.

    python verify.py BUNDLE [--key KEY]... [--witness KEY]... [--kept CHECKPOINT]... [--position N]

It needs Python 3.10 or newer and the package `cryptography`, and no network. The verdict is one sentence on stdout:

    0  verified
    1  it could not be read to its end (disk, memory)
    2  bad usage: what was given is no bundle, no key or no checkpoint
    3  history altered: the sentence names the first position that is known to be bad
    4  the bundle was cut or edited after it was made
    5  a checkpoint is signed by no key that is known, or by one that was replaced
    6  a checkpoint is of another log
    7  the position lies beyond the bundle
    8  no checkpoint: nothing says what history was; or none that a witness cosigned who was demanded
  130  interrupted (Ctrl-C): nothing is said

What proves what: line p of `events/` is leaf p of a Merkle tree (RFC 6962). A checkpoint (C2SP tlog-checkpoint) states
the root over the first `size` leaves and is signed (C2SP signed-note, Ed25519). Whoever changed, dropped, inserted or
moved anything below that size would have to find another text with the same SHA-256, or have the key. So: get the key
from elsewhere (`--key`), and keep the last checkpoint (`--kept`), since a log that was cut back to an older checkpoint
looks like an older log. `leaves/` proves nothing: where it leads to the signed roots it tells which line differs.

Whoever has the log's key could sign two histories, each for somebody else. A witness (C2SP tlog-cosignature) cosigns
one: `--witness` with its key, got from the witness itself, demands that, and says up to which position it did.

A pack holds some events of the log. Each has a proof (C2SP tlog-proof) that leads from its bytes to one signed root;
its streams begin at their first event and leave none out. That the last of a stream were left out shows by the SHA-256
of the manifest alone, which is on the log (`custody.export_made`).
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import struct
import sys
import time
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TextIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERIFIED, UNREAD, USAGE, ALTERED, EDITED, KEY_UNKNOWN, ANOTHER_LOG, BEYOND, UNPROVEN = range(9)
INTERRUPTED = 130  # as shells have it

LOG_KEY, WITNESS_KEY = 1, 4  # signature types of C2SP signed-note and tlog-cosignature
# What is longer, in bytes or characters, is none of a bundle's, and is not read, whatever a zip says of it.
LARGEST_FILE, LARGEST_INDEX = 64_000_000, 8_000_000
LONGEST_EVENT, LONGEST_NOTE, LONGEST_NAME = 1_000_000, 1_000_000, 300
LONGEST_SENTENCE = 2_000
# What there is more of is no bundle's either: so the time that it takes grows with what was handed over, and no faster.
MOST_FILES, MOST_KEYS, MOST_TIMES_UNPACKED = 100_000, 1_000, 100
INDEXES = ("manifest.json", "keys.txt")
UNZIPPABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
EVIDENCE, WHOLE = "evidence", ("case/", "report/", "custody/")  # a pack, and the streams of which it leaves nothing out
CHECKPOINTED, ALERT, EVERYWHERE = "custody.log_checkpointed", "alert.issued", "*"

FRONT = re.compile(rb'\{"sequence":"(\d{19})","time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)",')
NOTE = re.compile(r"((?:[^\n]+\n)+)\n((?:— [^\n]+\n)+)\n*")
CHECKPOINT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*")
PROOF = re.compile(
    r"c2sp\.org/tlog-proof@v1\nindex (0|[1-9]\d{0,18})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n((?:[^\n]+\n)+\n(?:— [^\n]+\n)+)",
    re.ASCII,
)
KEY = re.compile(r"([^\s+]{1,300})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
NAME = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
CHAIN = re.compile(r"chains/(events\.v1|alerts\.v1)/([0-9]{1,9})/[^/]+")
RECORD = re.compile(rb"([0-9]{1,19}) ([0-9]{1,19}) ([0-9]{1,19})")


class Verdict(Exception):
    """What ends the verification: an exit status and a sentence, which may quote what somebody else wrote."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(printable(sentence[:LONGEST_SENTENCE]))
        self.status = status


def printable(text: str) -> str:
    """A text in which what a terminal would obey, or show in another order, is escaped as JSON escapes it."""
    return text if text.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


# --- keys and checkpoints --------------------------------------------------------------------------------------------


class Key(NamedTuple):
    """A public key: of the log (type 1) or of a witness (type 4)."""

    name: str
    number: bytes
    kind: int
    public: bytes

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.name}+{self.number.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether this key signed this text."""
        signed = text.encode()
        if self.kind == WITNESS_KEY:
            signed = b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + signed
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            return False
        return True


class Checkpoint(NamedTuple):
    """A signed note that states the root over the first `size` leaves; `signatures` are (name, key number, bytes)."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def read_keys(text: str, where: str, status: int) -> list[Key]:
    """Keys as `name+number+base64`, one a line, the oldest first."""
    keys = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = KEY.fullmatch(line)
        raw = unbase64(found[3]) if found else b""
        if not found or len(raw) != 33 or raw[0] not in (LOG_KEY, WITNESS_KEY):
            raise Verdict(status, f"{where}: {line!r} is no Ed25519 key as name+number+base64.")
        key = Key(found[1], bytes.fromhex(found[2]), raw[0], raw[1:])
        if sha256(key.name.encode() + b"\n" + raw).digest()[:4] != key.number:
            raise Verdict(status, f"{where}: the number of the key {line!r} does not belong to it.")
        keys.append(key)
        if len(keys) > MOST_KEYS:
            raise Verdict(status, f"{where}: there are more than {MOST_KEYS:,} keys, as no log and its witnesses have.")
    return keys


def read_checkpoints(text: str, where: str, status: int) -> list[Checkpoint]:
    """Signed notes, one after the other."""
    found, at = [], 0
    while at < len(text):
        note = NOTE.match(text, at, at + LONGEST_NOTE)
        stated = CHECKPOINT.fullmatch(note[1]) if note else None
        if not note or not stated:
            raise Verdict(status, f"{where}: what stands there from character {at + 1} on is no signed checkpoint.")
        signatures = []
        for line in note[2].splitlines():
            name, _, coded = line[2:].rpartition(" ")
            raw = unbase64(coded)
            signatures.append((name, raw[:4], raw[4:]))
        found.append(Checkpoint(note[1], stated[1], int(stated[2]), unbase64(stated[3]), tuple(signatures)))
        at = note.end()
    return found


def unbase64(text: str) -> bytes:
    """Decode, or nothing where it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def signed_by(checkpoint: Checkpoint, keys: list[Key], what: str) -> list[int]:
    """The places in `keys` of those that signed it or cosigned it; the verdict where one does not fit."""
    places = []
    for name, number, signature in checkpoint.signatures:
        for place, key in enumerate(keys):
            if (key.name, key.number) == (name, number):
                if not key.accepts(checkpoint.text, signature):
                    raise Verdict(
                        ALTERED,
                        f"{what} is not what {name} signed: its signature does not fit."
                        if key.kind == LOG_KEY
                        else f"{what} is not what the witness {name} cosigned: its cosignature does not fit.",
                    )
                places.append(place)
    return places


def check_signature(checkpoint: Checkpoint, keys: list[Key], what: str) -> int:
    """The place in `keys` of the newest key of the log that signed it; the verdict where none did."""
    newest = max((place for place in signed_by(checkpoint, keys, what) if keys[place].kind == LOG_KEY), default=-1)
    if newest < 0:
        names = ", ".join(f"{name} ({number.hex()})" for name, number, _ in checkpoint.signatures)
        raise Verdict(KEY_UNKNOWN, f"{what} is signed by {names} and by no key that is known here.")
    return newest


def check_all_signatures(checkpoints: list[Checkpoint], keys: list[Key], given: bool) -> None:
    """Every checkpoint is signed by a known key, and by no older one once a newer one has signed."""
    order = [(check_signature(one, keys, f"The checkpoint of size {one.size}"), one) for one in checkpoints]
    for (before, good), (after, one) in pairwise(order):
        if after < before:
            raise Verdict(
                ALTERED,
                f"History was altered behind position {good.size}: the checkpoint of size {one.size} is signed by a "
                "key that was replaced before.",
            )
    log_keys = [place for place, key in enumerate(keys) if key.kind == LOG_KEY]
    if given and order and order[-1][0] != log_keys[-1]:
        raise Verdict(
            KEY_UNKNOWN,
            f"The last checkpoint is signed by {keys[order[-1][0]].number.hex()}, which is not the last of the keys "
            "given: whoever holds a key that was replaced can have signed it. If the bundle is older than the new key, "
            "give the old one alone.",
        )


def witnessed(checkpoints: list[Checkpoint], known: list[Key], demanded: list[Key], position: int | None) -> list[str]:
    """Up to which position each witness cosigned; the verdict where one that is demanded did not, or not so far."""
    said = []
    for key in dict.fromkeys([*demanded, *(key for key in known if key.kind == WITNESS_KEY)]):
        what, named = "The checkpoint of size", f"{key.name} ({key.number.hex()})"
        upto = max((one.size for one in checkpoints if signed_by(one, [key], f"{what} {one.size}")), default=0)
        if key in demanded and not upto:
            raise Verdict(
                UNPROVEN,
                f"Not witnessed: no checkpoint bears a cosignature of {named}, which was demanded. What the log itself "
                f"signed up to position {checkpoints[-1].size} fits; it could have signed another history, too.",
            )
        if key in demanded and position is not None and position > upto:
            raise Verdict(UNPROVEN, f"Not witnessed: {named} cosigned up to position {upto}, and not {position}.")
        said += [f"witnessed by {key.name} up to position {upto}"] if upto else []
    return said


# --- the tree --------------------------------------------------------------------------------------------------------


class Tree:
    """The roots of a growing Merkle tree (RFC 6962): `peaks` are those of its whole subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf, already hashed."""
        size, peaks = self.size, self.peaks
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.peaks:
            return sha256().digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root).digest()
        return root


# --- the bundle ------------------------------------------------------------------------------------------------------


class Bundle:
    """The files of a bundle, a zip or a folder, and what its manifest says of them."""

    def __init__(self, path: Path, asked: int | None = None) -> None:
        self.folder = path
        self.zip = None if path.is_dir() else opened(path)
        self.asked, self.shown = asked, b""  # a position, and its event once it was read to be verified
        names = sorted(islice(self.names(), MOST_FILES + 1))
        if len(names) > MOST_FILES:
            edited(f"it holds more than {MOST_FILES:,} files, as no bundle does")
        if strange := [one for one in names if len(one) > LONGEST_NAME or not NAME.fullmatch(one)]:
            edited(f"{strange[0]!r} is no name of a file in a bundle")
        if "manifest.json" not in names:
            edited("it has no manifest")
        try:
            stated = json.loads(self.read("manifest.json"), object_pairs_hook=named_once)
            self.origin: str = stated["origin"]
            self.size: int = stated["size"]
            self.files: dict[str, str] = stated["files"]
            pack = stated.get("kind") == EVIDENCE
            self.case: str = stated["case"] if pack else ""
            self.positions: list[int] = [*stated["positions"]] if pack else []
            numbers, texts = [self.size, *self.positions], [self.origin, self.case, *self.files.values()]
            if pack == (not self.case) or any(type(one) is not int or one < 0 for one in numbers):
                raise ValueError
            if any(type(one) is not str or len(one) > LONGEST_NAME for one in texts):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            edited("manifest.json does not state origin, size and files")
        wanted = {*self.files, "manifest.json"}
        if lacking := sorted(wanted - set(names)):
            edited(f"{lacking[0]} is missing")
        if surplus := sorted(set(names) - wanted) or [one for one, other in pairwise(names) if one == other]:
            edited(f"{surplus[0]} is more than the manifest names")
        for name in sorted(wanted - set(self.parts("events")) - {"manifest.json"}):
            if not self.intact(name, self.read(name)):
                edited(f"{name} is not what the manifest says")

    def names(self) -> Iterator[str]:
        """All files, by their paths inside."""
        if self.zip:
            yield from (one.filename for one in self.zip.infolist() if not one.filename.endswith("/"))
            return
        folders = [self.folder]
        while folders:
            for one in folders.pop().iterdir():
                name = one.relative_to(self.folder).as_posix()
                if one.is_symlink() or not (one.is_dir() or one.is_file()):
                    edited(f"{name} is no file, but leads elsewhere")
                if one.is_file():
                    yield name
                elif one.name != "__pycache__":
                    folders.append(one)

    def parts(self, folder: str) -> list[str]:
        """The files of one folder inside, in order."""
        return sorted(name for name in self.files if name.startswith(folder + "/"))

    def read(self, name: str) -> bytes:
        """A whole file; none is large."""
        most = LARGEST_INDEX if name in INDEXES else LARGEST_FILE
        try:
            with self.zip.open(name) if self.zip else (self.folder / name).open("rb") as file:
                content = file.read(most + 1)  # a zip may unpack to more than it says, or say that it is small
        except UNZIPPABLE as error:
            edited(f"{name} cannot be unpacked ({error})")
        if len(content) > most:
            edited(f"{name} has more than {most:,} bytes, as no such file of a bundle has")
        return content

    def keep(self, position: int, line: bytes) -> None:
        """Keep the event that is asked for: read once more, it could be another one."""
        self.shown = line if position == self.asked else self.shown

    def intact(self, name: str, content: bytes) -> bool:
        """Whether a file is the one that the manifest was made for."""
        return bool(self.files[name] == sha256(content).hexdigest())

    def text(self, name: str) -> str:
        """A file of text; empty where there is none."""
        return self.read(name).decode(errors="replace") if name in self.files else ""


def edited(what: str) -> NoReturn:
    """The verdict on a bundle that is not as it was made."""
    raise Verdict(EDITED, f"The bundle was cut or edited after it was made: {what}.")


def opened(path: Path) -> zipfile.ZipFile:
    """The zip at a path."""
    if not path.is_file():
        raise Verdict(USAGE, f"{path} is no file and no folder.")
    try:
        found = zipfile.ZipFile(path)
    except UNZIPPABLE as error:
        edited(f"it is no whole zip file ({error})")
    for one in found.infolist():
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            edited(f"{one.filename} is packed as no bundle is")
    unpacked = sum(one.file_size for one in found.infolist())
    if unpacked > max(MOST_TIMES_UNPACKED * path.stat().st_size, 2 * LARGEST_FILE):
        edited(f"it unpacks to more than {MOST_TIMES_UNPACKED} times its size, as no bundle does")
    return found


def named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, which must not name anything twice: one reader would take the first, another the last."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError
    return found


def lines_of(content: bytes) -> Iterator[bytes]:
    """The lines of a file; a last one that was cut is one, too."""
    return (line.removesuffix(b"\n") for line in io.BytesIO(content))


def event_in(line: bytes) -> dict[str, Any]:
    """The attributes of an event; raises ValueError where a line is none."""
    try:
        event = json.loads(line.decode()) if len(line) <= LONGEST_EVENT else {}
        stream, version = event["subject"], event["streamversion"]
        whole = isinstance(stream, str) and len(stream) <= LONGEST_NAME and type(version) is int
        if not whole or event["sequence"] != line[13:32].decode():
            raise ValueError
    except (KeyError, TypeError, RecursionError):
        raise ValueError from None
    return dict(event)


# --- the events ------------------------------------------------------------------------------------------------------


class Reading:
    """The events so far: what the next one must continue."""

    def __init__(self, bundle: Bundle, checkpoints: list[Checkpoint]) -> None:
        self.bundle, self.tree, self.proven = bundle, Tree(), 0
        self.checkpoints = checkpoints  # by size
        self.waiting = [one for one in reversed(checkpoints) if one.size]  # the next one is the last
        self.texts = {one.text for one in checkpoints}
        self.time, self.noted = b"", 0
        self.streams: dict[str, int] = {}
        self.flags = bytearray(1)  # by position: 1 goes to every partition, 2 is an alert

    def take(self, line: bytes) -> Checkpoint | None:
        """One more line; the checkpoint that ends with it, where all lines so far do not lead to its root."""
        position = self.tree.size + 1
        front = FRONT.match(line)
        if not front:
            raise Altered(position, "the line does not begin with a sequence and a time")
        if (stands := int(front[1])) != position:
            where = "is missing: it was dropped or moved" if stands > position else "was moved, repeated or inserted"
            raise Altered(position, f"{stands} stands there, so {min(stands, position)} {where}")
        if front[2] < self.time:
            raise Altered(
                position, f"its time {front[2].decode()} lies before that of {position - 1}: it was backdated"
            )
        self.time = front[2]
        self.bundle.keep(position, line)
        self._read(position, line)
        self.tree.add(sha256(b"\x00" + line).digest())
        while self.waiting and self.waiting[-1].size == position:
            if self.tree.root() != self.waiting[-1].root:
                return self.waiting[-1]
            self.waiting.pop()
            self.proven = position
        return None

    def _read(self, position: int, line: bytes) -> None:
        try:
            event = event_in(line)
            stream, version, of_type = event["subject"], event["streamversion"], event["type"]
            note = str(event["data"]["note"]) if of_type == CHECKPOINTED else ""
        except (ValueError, KeyError, TypeError):
            raise Altered(position, "the line is no event: JSON with subject, streamversion, type and data") from None
        if version != (expected := self.streams.get(stream, 0) + 1):
            raise Altered(position, f"it is number {version} of {stream}, where {expected} is due")
        self.streams[stream] = version
        self.flags.append((event.get("partitionkey") == EVERYWHERE) + 2 * (of_type == ALERT))
        if of_type == CHECKPOINTED:
            try:
                noted = read_checkpoints(note, "", ALTERED)[0] if note else None
            except Verdict:
                raise Altered(position, "what it records is no signed checkpoint") from None
            if noted is None or not self.noted < noted.size < position:
                raise Altered(position, "the checkpoint that it records is no later one than that before: replayed")
            self.noted = noted.size
            if noted.text not in self.texts:
                raise Altered(position, "checkpoints.txt does not hold the checkpoint that it records")


class Altered(Exception):
    """A line that cannot be what was recorded there."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position = position


def read_events(reading: Reading) -> None:
    """Take every line; the verdict names the first position that is bad."""
    bundle, began = reading.bundle, time.monotonic()
    for name in bundle.parts("events"):
        content = bundle.read(name)
        whole = bundle.intact(name, content)
        try:
            for line in lines_of(content):
                if (checkpoint := reading.take(line)) is not None:
                    conclude(whole, name, describe(reading, checkpoint))
            if reading.tree.size > bundle.size:
                raise Altered(bundle.size + 1, f"the manifest ends the log at {bundle.size}")
        except Altered as bad:
            first = first_difference(reading, bad.position)
            if first is None:
                shows = f"Position {bad.position} is the first where it shows: {bad}"
                conclude(whole, name, f"{shows}. What stands before it is proven up to {reading.proven}")
            if first < bad.position:
                conclude(whole, name, f"Position {first} is the first bad one: it is not what was signed")
            conclude(whole, name, f"Position {bad.position} is the first bad one: {bad}")
        if not whole:
            first = first_difference(reading, reading.tree.size)
            conclude(False, name, f"Position {first} is the first bad one" if first else "No signed root is concerned")
        progress(reading.tree.size, bundle.size, began)
    if reading.tree.size < bundle.size:
        edited(f"position {reading.tree.size + 1} is missing, and all after it up to {bundle.size}")
    if reading.waiting:
        missing = f"Position {reading.tree.size + 1} is the first bad one: it is missing"
        conclude(True, "", f"{missing}, although a checkpoint of size {reading.waiting[-1].size} was signed")


def describe(reading: Reading, checkpoint: Checkpoint) -> str:
    """Where the first position stands that does not lead to a checkpoint's root."""
    others = [one for one in reading.checkpoints if one.size == checkpoint.size and one.root != checkpoint.root]
    if others:
        forked = f"The log has forked: two checkpoints of size {checkpoint.size} state different roots"
        return f"{forked}. The first bad position is between {reading.proven + 1} and {checkpoint.size}"
    if first := first_difference(reading, checkpoint.size):
        return f"Position {first} is the first bad one: it is not what was signed"
    between = f"between {reading.proven + 1} and {checkpoint.size}"
    return f"The first bad position is {between}: they do not lead to the root that was signed for {checkpoint.size}"


def conclude(whole: bool, name: str, sentence: str) -> NoReturn:
    """History was altered, or, where the file is not the manifest's, the bundle was."""
    if whole:
        raise Verdict(ALTERED, f"History was altered. {sentence}.")
    raise Verdict(EDITED, f"The bundle was edited after it was made: {name} is not what the manifest says. {sentence}.")


def first_difference(reading: Reading, position: int) -> int | None:
    """The first position up to the checkpoint at or after this one whose line is not the leaf that was signed.

    None where the bundle's leaves do not lead to that checkpoint's root, or there is none: then nobody can tell.
    """
    bundle = reading.bundle
    upto = next((one for one in reading.checkpoints if one.size >= position), None)
    if upto is None:
        return None
    tree, first = Tree(), None
    lines = (line for name in bundle.parts("events") for line in lines_of(bundle.read(name)))
    for leaf in leaves_of(bundle, upto.size):
        tree.add(leaf)
        if first is None and sha256(b"\x00" + next(lines, b"")).digest() != leaf:
            first = tree.size
    return first if tree.size == upto.size and tree.root() == upto.root else None


def leaves_of(bundle: Bundle, size: int) -> Iterator[bytes]:
    """The first leaves that the bundle keeps beside its events."""
    for name in bundle.parts("leaves"):
        content = bundle.read(name)
        for at in range(0, min(len(content), 32 * size), 32):
            yield content[at : at + 32]
        size -= len(content) // 32


# --- what Kafka held -------------------------------------------------------------------------------------------------


def check_chains(reading: Reading) -> int:
    """Each record names the one before it in its partition, and each event is in the partitions that it belongs to.

    Files are `chains/TOPIC/PARTITION/PART`, with lines `OFFSET POSITION PREVIOUS`.
    """
    bundle, flags = reading.bundle, reading.flags
    partitions: dict[str, dict[str, int]] = {}  # by topic and partition, the last position
    times: dict[str, array[int]] = {}
    for name in bundle.parts("chains"):
        topic, partition = (CHAIN.fullmatch(name) or edited(f"{name} belongs to no partition")).groups()
        if topic not in times:
            times[topic], partitions[topic] = array("I", bytes(4 * len(flags))), {}
        count, last = times[topic], partitions[topic].setdefault(partition, 0)
        for line in lines_of(bundle.read(name)):
            if not (record := RECORD.fullmatch(line)):
                edited(f"{name} has a line that is no offset, position and previous position")
            offset, position, previous = map(int, record.groups())
            if previous != last or not last < position < len(flags):
                says = f"at offset {offset} it says that it follows {previous}, and {last} stands before it"
                on_kafka(position, f"{topic} partition {partition}", says)
            last = partitions[topic][partition] = position
            count[position] += 1
    for topic, count in times.items():
        for position in range(1, len(flags)):
            everywhere = len(partitions[topic]) if flags[position] & 1 else 1
            due = everywhere if topic == "events.v1" else flags[position] >> 1
            if count[position] != due:
                on_kafka(position, topic, f"it stands in {count[position]} partitions, and belongs into {due}")
    return sum(map(len, partitions.values()))


def on_kafka(position: int, where: str, what: str) -> NoReturn:
    """The verdict on what Kafka held, where the events themselves are those that were signed."""
    raise Verdict(
        ALTERED, f"History was altered on Kafka. Position {position} is the first bad one of {where}: {what}."
    )


# --- a log -----------------------------------------------------------------------------------------------------------


def verify_log(bundle: Bundle, checkpoints: list[Checkpoint]) -> list[str]:
    """What can be said of a log whose checkpoints, by size, are signed by known keys; anything else is a Verdict."""
    reading = Reading(bundle, checkpoints)
    read_events(reading)
    chains = check_chains(reading)
    last, position = checkpoints[-1], bundle.asked
    if position is not None and position > last.size:
        raise Verdict(UNPROVEN, f"No checkpoint covers position {position}: the last one is of size {last.size}.")
    signed = f"positions 1 to {last.size} of {last.origin} are what was signed"
    parts = [f"Verified: {signed}, at {len(checkpoints)} checkpoints"]
    if bundle.size == last.size + 1:
        parts.append(f"position {bundle.size} fits, and no checkpoint covers it yet")
    elif bundle.size > last.size:
        parts.append(f"positions {last.size + 1} to {bundle.size} fit, and no checkpoint covers them yet")
    return parts + ([f"{chains} partitions of Kafka hold them in unbroken chains"] if chains else [])


# --- a pack ----------------------------------------------------------------------------------------------------------


def verify_pack(bundle: Bundle, stated: list[Checkpoint], kept: list[Checkpoint]) -> list[str]:
    """What can be said of an evidence pack whose checkpoint is signed by a known key; anything else is a Verdict."""
    if len(stated) > 1:
        edited(f"checkpoints.txt holds {len(stated)} checkpoints, and the proofs of a pack lead to one")
    signed = stated[0]
    for one in kept:
        if one.size == signed.size and one.root != signed.root:
            raise Verdict(ALTERED, f"The log has forked: two checkpoints of size {one.size} state different roots.")
    waiting, proofs, streams, proven = iter(bundle.positions), proofs_of(bundle), dict[str, int](), 0
    for name in bundle.parts("events"):
        content = bundle.read(name)
        whole = bundle.intact(name, content)
        for line in lines_of(content):
            position, event = event_of(line, whole, name)
            bundle.keep(position, line)
            if (due := next(waiting, None)) != position:
                edited(f"position {due} is due in {name}, and {position} stands there" if due else f"{name} has more")
            if (stream := event["subject"]).startswith(WHOLE):
                expected = streams[stream] = streams.get(stream, 0) + 1
                if event["streamversion"] != expected:
                    numbered = f"it is number {event['streamversion']} of {stream}, where {expected} is due"
                    conclude(whole, name, f"Position {position} is the first bad one: {numbered}")
            if position <= signed.size:
                index, path, text = next(proofs, (-1, [], ""))
                if index != position - 1 or text != signed.text:
                    edited(f"the proof of position {position} is missing, or of another position or checkpoint")
                if not includes(sha256(b"\x00" + line).digest(), index, signed.size, path, signed.root):
                    leads = f"it does not lead to the root that was signed for {signed.size}"
                    conclude(whole, name, f"Position {position} is the first bad one: {leads}")
                proven += 1
        if not whole:
            edited(f"{name} is not what the manifest says")
    if due := next(waiting, None):
        edited(f"position {due} is missing, which the manifest names")
    if next(proofs, None):
        edited("there are more proofs than events that were signed")
    if f"case/{bundle.case}" not in streams:
        edited(f"it holds no event of case {bundle.case}, of which the manifest says that it is")
    late = len(bundle.positions) - proven
    if not proven:
        raise Verdict(UNPROVEN, f"Not signed: the checkpoint of size {signed.size} covers none of these {late} events.")
    parts = [
        f"Verified: {proven} events of case {bundle.case} are what was signed, at size {signed.size} of {signed.origin}"
    ]
    parts += [f"{late} events are later than that, and not signed yet"] if late else []
    later = max((one.size for one in kept), default=0) > signed.size
    parts += ["you kept a later checkpoint, which nothing here can be compared with"] if later else []
    others = "its other files, texts in clear among them," if bundle.parts("texts") else "its other files"
    parts.append(
        f"{others} no signature covers: they are what was taken if `custody.export_made` on the log names the manifest "
        + sha256(bundle.read("manifest.json")).hexdigest()
    )
    return parts


def event_of(line: bytes, whole: bool, name: str) -> tuple[int, dict[str, Any]]:
    """The position and attributes of an event of a pack."""
    try:
        if front := FRONT.match(line):
            return int(front[1]), event_in(line)
    except ValueError:
        pass
    return conclude(whole, name, f"{line[:40].decode(errors='replace')!r}… is no event")


def proofs_of(bundle: Bundle) -> Iterator[tuple[int, list[bytes], str]]:
    """Each proof, in the order of events: the index of its leaf, its hashes, and the text of its checkpoint."""
    for name in bundle.parts("proofs"):
        text, at = bundle.text(name), 0
        while at < len(text):
            if not (found := PROOF.match(text, at, at + LONGEST_NOTE)):
                edited(f"{name}: what stands there from character {at + 1} on is no proof")
            yield int(found[1]), [unbase64(one) for one in found[2].split()], found[3].rpartition("\n\n")[0] + "\n"
            at = found.end()


def includes(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Whether a proof leads from a leaf to the root (RFC 9162, 2.1.3.2)."""
    last = size - 1
    for sibling in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            leaf = sha256(b"\x01" + sibling + leaf).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            leaf = sha256(b"\x01" + leaf + sibling).digest()
        index, last = index >> 1, last >> 1
    return last == 0 and leaf == root


# --- the whole -------------------------------------------------------------------------------------------------------


def verify(
    path: Path, given: list[Key], kept: list[Checkpoint], position: int | None, demanded: Sequence[Key] = ()
) -> str:
    """The sentence on the bundle at a path that is verified; anything else is a Verdict."""
    return judge(Bundle(path, position), given, kept, demanded)


def judge(bundle: Bundle, given: list[Key], kept: list[Checkpoint], demanded: Sequence[Key]) -> str:
    """The sentence on a bundle that is verified, and witnessed by those demanded; anything else is a Verdict."""
    signed = ["checkpoints.txt", *bundle.parts("checkpoints")]
    stated = [one for name in signed for one in read_checkpoints(bundle.text(name), name, EDITED)]
    # a log that was not signed yet when the bundle was made has no name in it
    origin = bundle.origin or (kept[0].origin if kept and not stated else "")
    for one, where in (*((one, "checkpoints.txt") for one in stated), *((one, "--kept") for one in kept)):
        if one.origin != origin:
            raise Verdict(ANOTHER_LOG, f"A checkpoint in {where} is of {one.origin!r}, and this is {origin!r}.")
    position = bundle.asked
    if position is not None and not (position in bundle.positions if bundle.case else 1 <= position <= bundle.size):
        held = f"{len(bundle.positions)} events of one case" if bundle.case else f"positions 1 to {bundle.size}"
        raise Verdict(BEYOND, f"Position {position} lies beyond the bundle: it holds {held}.")
    keys = given or read_keys(bundle.text("keys.txt"), "keys.txt", EDITED)
    checkpoints = sorted([*stated, *kept], key=lambda one: one.size)
    if bundle.case and not stated:
        raise Verdict(UNPROVEN, "Not signed: there was no checkpoint when this pack was made, so nothing proves it.")
    if not checkpoints:
        raise Verdict(UNPROVEN, "The bundle holds no checkpoint, and none was given: nothing says what history was.")
    for one in kept:
        check_signature(one, keys, f"The checkpoint of size {one.size} that you kept")
    check_all_signatures(sorted(stated, key=lambda one: one.size), keys, bool(given))
    if bundle.case:
        parts, position = verify_pack(bundle, stated, kept), None
        checkpoints = [*stated, *(one for one in kept if one.size == stated[0].size)]
    else:
        parts = verify_log(bundle, checkpoints)
    parts += witnessed(checkpoints, keys, list(demanded), position)
    parts += [] if given else ["by the bundle's own keys.txt: compare its keys with those that you got elsewhere"]
    return "; ".join(parts) + "."


def progress(done: int, of: int, began: float) -> None:
    """How far it is, on stderr."""
    rate = done / max(time.monotonic() - began, 0.001)
    written(sys.stderr, f"\r{done:,} of {of:,} positions, {rate:,.0f} a second" + ("" if done < of else "\n"))


def keys_in(said: list[str]) -> list[Key]:
    """Keys as they are, or by files of them; raises Verdict."""
    return [key for one in said for key in read_keys(one if KEY.fullmatch(one) else text_of(one), one, USAGE)]


def keys_said(said: list[str]) -> list[Key]:
    """The keys that were given, of which one at least is a log's; raises Verdict."""
    keys = keys_in(said)
    if said and not any(key.kind == LOG_KEY for key in keys):
        told = "a witness alone signs no checkpoint" if keys else "there is none in what was given"
        raise Verdict(USAGE, f"None of the keys given is one of a log: {told}.")
    return keys


def witnesses_said(said: list[str]) -> list[Key]:
    """The keys of the witnesses that are demanded; raises Verdict."""
    keys = keys_in(said)
    if of_logs := [key.text for key in keys if key.kind != WITNESS_KEY]:
        raise Verdict(USAGE, f"{of_logs[0]} is no key of a witness but one of a log: give it by --key.")
    return keys


def kept_said(said: list[str]) -> list[Checkpoint]:
    """The checkpoints in the files that were given; raises Verdict."""
    return [note for one in said for note in read_checkpoints(text_of(one), one, USAGE)]


def text_of(said: str) -> str:
    """What a file says; raises Verdict where it is none."""
    try:
        if Path(said).exists() and not Path(said).is_file():  # a pipe could be waited for without an end
            raise Verdict(USAGE, f"{said} is no file: save what it says to one.")
        with Path(said).open(encoding="utf-8") as file:
            text = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise Verdict(USAGE, f"{said} cannot be read: {error}.") from None
    if len(text) > LARGEST_FILE:
        raise Verdict(USAGE, f"{said} cannot be read: it is larger than any file of keys or checkpoints.")
    return text


def written(to: TextIO | None, text: str) -> OSError | None:
    """Why a text could not be written; nothing more is written there then. Whoever closes a pipe has read enough."""
    try:
        print(text, end="", file=to, flush=True)
    except OSError as error:
        assert to is not None
        os.dup2(os.open(os.devnull, os.O_WRONLY), to.fileno())  # else what is buffered is tried once more at the end
        return None if isinstance(error, BrokenPipeError) else error
    return None


def told(status: int, verdict: str) -> int:
    """Print a verdict, which the exit status says to whoever does not read it; one that a full disk lost is none."""
    if error := written(sys.stdout, printable(verdict) + "\n"):
        written(sys.stderr, f"The verdict could not be written: {error}.\n")
        return status or UNREAD
    return status


def main() -> int:
    """Print the verdict, and return the exit status."""
    parser = argparse.ArgumentParser(description="Verifies a bundle of an Intabaza log.", epilog="See the file's head.")
    parser.add_argument("bundle", type=Path, help="the zip file, or the folder that it was unpacked into")
    parser.add_argument("--key", action="append", default=[], help="a key, or a file of keys, the oldest first")
    parser.add_argument("--witness", action="append", default=[], help="a key, or a file of keys, that cosigned it")
    parser.add_argument("--kept", action="append", default=[], help="a file with a checkpoint that you kept")
    parser.add_argument("--position", type=int, help="also show the event at this position")
    said = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if not said.bundle.exists():
            raise Verdict(USAGE, f"There is no {said.bundle}.")
        keys, witnesses = keys_said(said.key), witnesses_said(said.witness)
        kept, bundle = kept_said(said.kept), Bundle(said.bundle, said.position)
        shown = [judge(bundle, keys, kept, witnesses)[:LONGEST_SENTENCE]]
        shown += [bundle.shown.decode()] if bundle.shown else []
        return max([told(VERIFIED, line) for line in shown])
    except Verdict as verdict:
        return told(verdict.status, str(verdict))
    except (OSError, MemoryError) as error:
        return told(UNREAD, f"The bundle could not be read to its end: {error!r}.")
    except KeyboardInterrupt:
        return told(INTERRUPTED, "Interrupted: nothing is said of this bundle.")


if __name__ == "__main__":
    sys.exit(main())
