"""Logs with signed checkpoints, built here from the standards alone, and bundles of them as an auditor gets them.

Nothing of the audit is used: roots are the recursion of RFC 6962 as it is written there, signatures are cryptography's.
"""

from __future__ import annotations

import json
import zipfile
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.crisis import crisis

ORIGIN = "intabaza.invalid/test"
EACH = 100
"""Events between two checkpoints."""

FRONT = len('{"sequence":"') + 19


class LogKey:
    """A key of a log, or of a witness, that follows from a word."""

    def __init__(self, word: str, name: str = ORIGIN, kind: int = 1) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(sha256(word.encode()).digest())
        self.name, self.kind = name, kind
        self._raw = bytes([kind]) + self._private.public_key().public_bytes_raw()
        self._number = sha256(name.encode() + b"\n" + self._raw).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self._number.hex()}+{b64encode(self._raw).decode()}"

    def line(self, text: str) -> str:
        """The signature line of a note."""
        if self.kind == 4:
            signed = b"cosignature/v1\ntime 1430000000\n" + text.encode()
            signature = (1_430_000_000).to_bytes(8, "big") + self._private.sign(signed)
        else:
            signature = self._private.sign(text.encode())
        return f"— {self.name} {b64encode(self._number + signature).decode()}\n"


def note(wires: Sequence[bytes], size: int, *keys: LogKey, origin: str = ORIGIN) -> str:
    """A checkpoint over the first events of a log, signed by these keys."""
    return signed_root([leaf(wire) for wire in wires[:size]], *keys, origin=origin)


def signed_root(leaves: Sequence[bytes], *keys: LogKey, origin: str = ORIGIN) -> str:
    """A checkpoint over all of these leaves."""
    text = f"{origin}\n{len(leaves)}\n{b64encode(root(leaves)).decode()}\n"
    return f"{text}\n{''.join(key.line(text) for key in keys)}"


def leaf(wire: bytes) -> bytes:
    return sha256(b"\x00" + wire).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1, over hashed leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


@dataclass
class SignedLog:
    """A log: its events' bytes, its checkpoints, its keys, the leaves that were kept of it, and Kafka's partitions."""

    wires: list[bytes]
    notes: list[str]
    keys: tuple[LogKey, ...]
    leaves: list[bytes] = field(default_factory=list)
    chains: dict[str, list[int]] = field(default_factory=dict)

    def copy(self) -> SignedLog:
        return replace(self, wires=[*self.wires], notes=[*self.notes], leaves=[*self.leaves], chains=dict(self.chains))

    @property
    def covered(self) -> int:
        """The size of the last checkpoint."""
        return max(size_of(one) for one in self.notes)

    def files(self, each: int = 150) -> dict[str, bytes]:
        """What a bundle of it holds, beside the manifest."""
        found = {
            "checkpoints.txt": "\n".join(self.notes).encode(),
            "keys.txt": "".join(f"{key.vkey}\n" for key in self.keys).encode(),
        }
        for number, at in enumerate(range(0, len(self.wires), each), 1):
            found[f"events/{number:06}.jsonl"] = b"".join(one + b"\n" for one in self.wires[at : at + each])
        for number, at in enumerate(range(0, len(self.leaves), each), 1):
            found[f"leaves/{number:06}.bin"] = b"".join(self.leaves[at : at + each])
        for name, positions in self.chains.items():
            records = zip(range(len(positions)), positions, [0, *positions], strict=False)
            found[f"chains/{name}/000001.txt"] = "".join(f"{o} {one} {before}\n" for o, one, before in records).encode()
        return found

    def write(
        self, path: Path, *, origin: str = ORIGIN, then: Callable[[dict[str, bytes]], None] | None = None
    ) -> Path:
        """A bundle of it; `then` is what somebody does to its files after it was made."""
        files = self.files()
        files["manifest.json"] = manifest(files, len(self.wires), origin)
        if then:
            then(files)
        return write_zip(path, files)


def manifest(files: Mapping[str, bytes], size: int, origin: str = ORIGIN) -> bytes:
    sums = {name: sha256(content).hexdigest() for name, content in files.items()}
    return json.dumps({"format": 1, "origin": origin, "size": size, "files": sums}).encode()


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return path


def size_of(checkpoint: str) -> int:
    return int(checkpoint.split("\n")[1])


def signed_log(events: int, *keys: LogKey, rotated_at: int = 0, each: int = EACH, partitions: int = 3) -> SignedLog:
    """A log of a crisis with a checkpoint after each so many events, which stands in it two positions later.

    Of two keys the second signs from `rotated_at` on, the first time together with the first.
    """
    keys = keys or (LogKey("one"),)
    log = SignedLog([], [], keys)
    due = 0
    chains: list[list[int]] = [[] for _ in range(partitions)]
    for event in crisis(events, reference=True):
        wire = event.wire()
        for number in range(partitions) if event.is_broadcast else (len(event.home) % partitions,):
            chains[number].append(len(log.wires) + 1)
        log.wires.append(at_position(wire, len(log.wires) + 1))
        if len(log.wires) % each == 0:
            due = len(log.wires)
        elif due and len(log.wires) > due + 1:
            signing = (
                keys
                if len(keys) > 1 and due - each < rotated_at <= due
                else keys[-1:]
                if rotated_at <= due
                else keys[:1]
            )
            log.notes.append(note(log.wires, due, *signing))
            chains[0].append(len(log.wires) + 1)
            log.wires.append(checkpointed(len(log.notes), len(log.wires) + 1, log.notes[-1], wire[FRONT:]))
            due = 0
    log.leaves = [leaf(wire) for wire in log.wires][: log.covered]
    log.chains = {f"events.v1/{number}": chain for number, chain in enumerate(chains)}
    return log


def at_position(wire: bytes, position: int) -> bytes:
    """The same event at another position."""
    return b'{"sequence":"%019d' % position + wire[FRONT:]


def checkpointed(number: int, position: int, checkpoint: str, like: bytes) -> bytes:
    """The event that records a checkpoint, in the envelope of another, a microsecond later."""
    moment, size, stated = json.loads(b"{" + like[2:])["time"][:-2] + "1Z", *checkpoint.split("\n")[1:3]
    event = json.loads(b"{" + like[2:]) | {
        "type": "custody.log_checkpointed", "subject": "custody/log", "streamversion": number, "partitionkey": "log",
        "dataschema": "urn:intabaza:schema:custody.log_checkpointed:1",
        "data": {"size": int(size), "root": stated, "note": checkpoint},
    }  # fmt: skip
    del event["time"]
    body = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return b'{"sequence":"%019d","time":"%s",' % (position, moment.encode()) + body[1:]
