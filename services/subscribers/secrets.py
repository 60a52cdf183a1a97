"""What signs a subscriber's webhooks: made here, shown once, kept sealed under the master key."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from uuid import UUID, uuid4

from pydantic import SecretStr
from standardwebhooks import Webhook

from services.vault.master import MasterKey

SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """One that was just made: how it is shown, and how it is kept."""

    secret_id: UUID
    shown: SecretStr
    sealed: bytes = field(repr=False)
    version: int

    @classmethod
    def make(cls, master: MasterKey, subscriber_id: UUID) -> NewSecret:
        secret_id, secret = uuid4(), token_bytes(SECRET_BYTES)
        shown = SecretStr(f"whsec_{base64.b64encode(secret).decode()}")
        return cls(secret_id, shown, master.seal_webhook_secret(subscriber_id, secret_id, secret), master.version)


class Signer:
    """Signs with one secret until it ends; its repr shows nothing."""

    __slots__ = ("_webhook", "ends_at")

    def __init__(self, secret: bytes, ends_at: datetime | None) -> None:
        self._webhook = Webhook(secret)
        self.ends_at = ends_at

    def sign(self, message_id: str, at: datetime, body: str) -> str:
        return self._webhook.sign(message_id, at, body)


class NothingSigns(Exception):
    """No secret is valid: what cannot be signed is not to be sent."""


def signatures(signers: list[Signer], message_id: str, at: datetime, body: bytes) -> str:
    """The header `webhook-signature`: one for each secret that is valid then, the newest first. Raises NothingSigns."""
    text = body.decode()
    valid = [signer for signer in signers if signer.ends_at is None or signer.ends_at > at]
    if not valid:
        raise NothingSigns
    return " ".join(signer.sign(message_id, at, text) for signer in valid)
