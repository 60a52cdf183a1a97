"""Proof that somebody agreed to one opening: signed for them by us, short-lived, good once and for nothing else.

An approver asks for it under their own token and hands it to whoever opens. It names both by the pseudonyms that they
have about the record, so it says of nobody who they are.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from events.custody import ViewPurpose
from events.refusals import BadInput
from services.vault.master import MasterKey

LIFE = timedelta(minutes=15)
LONGEST = 8_192


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
class Approved:
    """One approval that was given: which, and by whom, as a pseudonym."""

    approval_id: UUID
    approver: UUID


class Approvals:
    """Signs and reads approvals; the same in every process with the same master key."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    # What time it is, is said by this machine and not by a scenario: people agree to it in their own time.

    def grant(self, opening: Opening, approver: UUID, now: datetime) -> str:
        """An approval of this opening, for so long."""
        until = int((now + LIFE).timestamp())
        told = orjson.dumps({**opening.payload(), "approver": str(approver), "until": until, "id": uuid4().hex})
        return f"{_text(told)}.{_text(self._master.approval_mac(told))}"

    def approved(self, approval: str, opening: Opening, now: datetime) -> Approved:
        """Who approved this opening; raises BadInput for an approval of anything else."""
        told = self._read(approval)
        until, approver, approval_id = told.pop("until"), told.pop("approver"), told.pop("id")
        if int(until) <= now.timestamp():
            raise _refused("approvals that have not ended", "ask for a new one, and open within fifteen minutes")
        if told != opening.payload():
            raise _refused("approvals of this very opening", "have this record, version, fields and purpose approved")
        return Approved(UUID(approval_id), UUID(approver))

    def _read(self, approval: str) -> dict[str, Any]:
        told, _, mac = approval.partition(".")
        try:
            raw, signed = _bytes(told), _bytes(mac)
            if len(approval) <= LONGEST and hmac.compare_digest(self._master.approval_mac(raw), signed):
                read: dict[str, Any] = orjson.loads(raw)
                return read
        except ValueError:
            pass
        raise _refused("approvals as they were given", "copy them whole")


def _refused(expected: str, mend: str) -> BadInput:
    return BadInput.field("approvals", expected, mend)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
