"""A checkpoint of the log: what is signed (C2SP tlog-checkpoint), and the event that records it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import orjson

from events.custody import LogCheckpointed
from events.envelope import Draft, canonical, event_id, named_id
from events.vocabulary import Actor, Role
from services.notary.halts import NoCheckpoint
from services.tlog.notes import Signer, written
from services.tlog.offline.verify import USAGE, Verdict, read_checkpoints

STREAM = "custody/log"

HOME = "log"
"""The home of checkpoints: no place, as they are of all of them."""

NOTARY = UUID("5b0f7c1e-9a54-8c37-8d20-6e1f4a7d9b02")
"""The actor of all checkpoints, and the namespace of their ids."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was signed: that the first `size` leaves have this root."""

    size: int
    root: bytes
    note: str

    @property
    def text(self) -> str:
        """What the signatures are of."""
        return self.note.partition("\n\n")[0] + "\n"

    @classmethod
    def sign(cls, origin: str, size: int, root: bytes, signers: Sequence[Signer]) -> Checkpoint:
        text = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
        return cls(size, root, written(text, *(one.sign(text) for one in signers)))

    @classmethod
    def recorded(cls, body: bytes, position: int) -> Checkpoint:
        """The one that the event at a position records, by the body that the ledger has; raises NoCheckpoint."""
        try:
            data = orjson.loads(body)["data"]
            said = cls(data["size"], b64decode(data["root"]), data["note"])
            [stated] = read_checkpoints(said.note, "", USAGE)
        except (ValueError, KeyError, TypeError, Verdict):
            raise NoCheckpoint(position) from None
        if (stated.size, stated.root) != (said.size, said.root):
            raise NoCheckpoint(position)
        return said

    @property
    def mac(self) -> bytes:
        """What a repeat must agree in; by whom it is signed is no part of it."""
        return sha256(canonical({"size": self.size, "root": b64encode(self.root).decode()})).digest()

    def draft(self, source: str, version: int) -> Draft[LogCheckpointed]:
        """The event, as the stream's next version; its ids follow from the size, so it is recorded once."""
        command_id = named_id(NOTARY, f"{source} {self.size}")
        return Draft(
            event_id=event_id(command_id, 0),
            source=source,
            stream=STREAM,
            version=version,
            home=HOME,
            data=LogCheckpointed(size=self.size, root=b64encode(self.root).decode(), note=self.note),
            command_id=command_id,
            command_mac=self.mac,
            actor=Actor(role=Role.SYSTEM, ref=NOTARY),
            correlation_id=command_id,
        )
