"""A receipt of a command: whoever sent it may ask how far its position has come, and about no other position."""

from __future__ import annotations

import base64
import hmac
from uuid import UUID

from services.vault.master import MasterKey

BYTES = 16
LONGEST = 64


class Receipts:
    """Writes and knows receipts; the same in every process with the same master key. Nothing is stored of them."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def of(self, person_id: UUID, position: int) -> str:
        """What this person shows to ask about this position."""
        mac = self._master.receipt_mac(b"%b %d" % (person_id.bytes, position))[:BYTES]
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def is_theirs(self, receipt: str, person_id: UUID, position: int) -> bool:
        """Whether this was given to this person, of this position."""
        return hmac.compare_digest(receipt[:LONGEST].encode(), self.of(person_id, position).encode())
