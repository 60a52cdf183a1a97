"""How it is said on the log that something was destroyed, so that a vault which is put back can be told so again.

An id is told by its mark, which only the master key's owner can compute; marks of nothing are put between, so that
neither which keys were one person's, nor how many, is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID, uuid4

from events.custody import SubjectKeyDestroyed
from events.envelope import SPLICE_VERSION, Draft, canonical, event_id
from events.vocabulary import Actor, Role
from services.vault.master import MasterKey

MARKS_IN_STEPS_OF = 8
MARK_BYTES = 32

HOME = "vault"
"""The home of what was destroyed: no place, so that it tells of none."""

Said = tuple[int, UUID, bytes, str, str, UUID, bytes]
"""What `vault.say_destroyed` takes after the caller's clock."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Who decided an erasure, under which command, and the approvals that it uses up."""

    command_id: UUID
    command_mac: bytes
    by: Actor
    approved_by: tuple[UUID, ...]
    approval_ids: tuple[UUID, ...]


def key_mark(master: MasterKey, key_id: UUID) -> str:
    return master.destruction_mac(b"key:" + key_id.bytes).hex()


def person_mark(master: MasterKey, person_id: UUID) -> str:
    return master.destruction_mac(b"person:" + person_id.bytes).hex()


def destruction(
    master: MasterKey, keys: Collection[UUID], people: Collection[UUID], source: str, decided: Decided | None = None
) -> Said:
    """The event that says that these keys, and all that is these people's, are gone; where nobody decided it, by us."""
    marks = [key_mark(master, one) for one in keys] + [person_mark(master, one) for one in people]
    marks += [token_bytes(MARK_BYTES).hex() for _ in range(-len(marks) % MARKS_IN_STEPS_OF)]
    data = SubjectKeyDestroyed(marks=tuple(sorted(marks)), approved_by=decided.approved_by if decided else ())
    command_id = decided.command_id if decided else uuid4()
    mac = decided.command_mac if decided else sha256(canonical(data.wire_data())).digest()
    draft = Draft(
        event_id=event_id(command_id, 0),
        source=source,
        stream=f"custody/{command_id}",
        version=1,
        home=HOME,
        data=data,
        command_id=command_id,
        command_mac=mac,
        actor=decided.by if decided else Actor(role=Role.SYSTEM, ref=command_id),
    )
    return SPLICE_VERSION, command_id, mac, draft.stream, draft.home, draft.event_id, draft.body()
