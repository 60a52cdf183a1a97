"""Proof that somebody agreed to one opening, pack or erasure: signed for them by us, short-lived, good once.

An approver asks for it under their own token and hands it to whoever opens, takes away or erases. It names both by the
pseudonyms that they have about the record or the person, so it says of nobody who they are.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import orjson

from events.custody import ViewPurpose
from events.refusals import BadInput
from services.vault.master import MasterKey

LIFE = timedelta(minutes=15)
LONGEST = 8_192
AS_GIVEN = "approvals as they were given", "copy them whole"
OTHERWISE = {
    "clear": ("approvals that texts of this very case leave in clear", "have this case approved"),
    "purpose": ("approvals of this purpose", "have it approved for what the pack is for, or take it for that"),
    "taker": ("approvals for whoever takes the case away", "have it approved for yourself, or let that other take it"),
}
"""What is said of an approval that names another case, purpose or person, in the order in which they are compared."""


class Approvable(Protocol):
    """What somebody may agree to; two are the same where their payloads are."""

    def payload(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to be opened by whom: fields of an event of a stream, for a purpose; `opener` is a pseudonym."""

    stream: str
    version: int
    fields: Sequence[str]
    purpose: ViewPurpose
    opener: UUID

    def payload(self) -> dict[str, object]:
        return {
            "stream": self.stream,
            "version": self.version,
            "fields": sorted(set(self.fields)),
            "purpose": self.purpose.value,
            "opener": str(self.opener),
        }


@dataclass(frozen=True, slots=True)
class Clearing:
    """That texts of a case leave in clear in a pack, for a purpose and by whom; `taker` is a pseudonym."""

    case: str
    purpose: ViewPurpose
    taker: UUID

    def payload(self) -> dict[str, object]:
        return {"clear": self.case, "purpose": self.purpose.value, "taker": str(self.taker)}


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who is to be erased, by a text that says of nobody who they are, and by whom; `eraser` is a pseudonym."""

    doomed: str
    eraser: UUID

    def payload(self) -> dict[str, object]:
        return {"erased": self.doomed, "eraser": str(self.eraser)}


@dataclass(frozen=True, slots=True)
class Approved:
    """One approval that was given: which, and by whom, as a pseudonym."""

    approval_id: UUID
    approver: UUID


class Approvals:
    """Signs and reads approvals; the same in every process with the same master key."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    # What time it is, is said by this machine and not by a scenario: people agree to it in their own time.

    def grant(self, what: Approvable, approver: UUID, now: datetime) -> str:
        """An approval of this, for so long."""
        until = int((now + LIFE).timestamp())
        told = orjson.dumps({**what.payload(), "approver": str(approver), "until": until, "id": uuid4().hex})
        return f"{_text(told)}.{_text(self._master.approval_mac(told))}"

    def grant_erasure(self, erasure: Erasure, approver: UUID, now: datetime) -> str:
        """The same of an erasure, concealed: else two would tell whether a phone and an id are one person's."""
        return _text(self._master.conceal_approval(self.grant(erasure, approver, now).encode()))

    def approved(self, approval: str, opening: Opening, now: datetime) -> Approved:
        """Who approved this opening; raises BadInput for an approval of anything else."""
        if (approved := self._of(approval, opening, now)) is None:
            raise _refused("approvals of this very opening", "have this record, version, fields and purpose approved")
        return approved

    def approved_clearing(self, approval: str, clearing: Clearing, now: datetime) -> Approved:
        """Who approved that these texts leave in clear; raises BadInput, which says what another one was given for."""
        told, approved = self._given(approval, now)
        for name, meant in clearing.payload().items():
            if told.get(name) != meant:
                raise _refused(*OTHERWISE[name])
        return approved

    def approved_erasure(self, approval: str, erasure: Erasure, now: datetime) -> Approved | None:
        """Who approved this erasure, or None for an approval of another one; raises BadInput for none of ours."""
        try:
            granted = self._master.reveal_approval(_bytes(approval)).decode()
        except ValueError:
            raise _refused(*AS_GIVEN) from None
        return self._of(granted, erasure, now)

    def _of(self, approval: str, what: Approvable, now: datetime) -> Approved | None:
        told, approved = self._given(approval, now)
        return approved if told == what.payload() else None

    def _given(self, approval: str, now: datetime) -> tuple[dict[str, Any], Approved]:
        """What was approved, and by whom; raises BadInput for one that has ended or is none of ours."""
        told = self._read(approval)
        until, approver, approval_id = told.pop("until"), told.pop("approver"), told.pop("id")
        if int(until) <= now.timestamp():
            raise _refused("approvals that have not ended", "ask for a new one, and use it within fifteen minutes")
        return told, Approved(UUID(approval_id), UUID(approver))

    def _read(self, approval: str) -> dict[str, Any]:
        told, _, mac = approval.partition(".")
        try:
            raw, signed = _bytes(told), _bytes(mac)
            if len(approval) <= LONGEST and hmac.compare_digest(self._master.approval_mac(raw), signed):
                read: dict[str, Any] = orjson.loads(raw)
                return read
        except ValueError:
            pass
        raise _refused(*AS_GIVEN)


def _refused(expected: str, mend: str) -> BadInput:
    return BadInput.field("approvals", expected, mend)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
