"""The master key: where it may come from, what it wraps, and the secrets that follow from it.

It is 32 random bytes written as base64url text on one line. Every data key is stored wrapped by it; the keys for phone
numbers and commands are derived from it by HKDF, each under its own label, so that none tells anything of another.
"""

from __future__ import annotations

import hmac
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from itertools import pairwise
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from events.sealed import KeyKind
from services.vault.refused import MasterKeyRefused

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
FEWEST_DIFFERENT_BYTES = 16
"""32 random bytes hold fewer than 16 different values about three times in 10^17 keys; typed keys nearly always do."""

_MAKE_ONE = "make one with `head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='` into a file of mode 0600"


class MasterKey:
    """The key over all keys of one deployment. Its repr and its pickles show nothing.

    `version` stands beside every key it wraps, so that another master key can take over later, key by key.
    """

    __slots__ = (
        "_approvals",
        "_backups",
        "_commands",
        "_destructions",
        "_erasures",
        "_macs",
        "_phones",
        "_receipts",
        "_webhooks",
        "_wrapping",
        "version",
    )

    def __init__(self, secret: bytes, version: int = 1) -> None:
        if len(secret) != MASTER_KEY_BYTES:
            raise MasterKeyRefused(f"the master key must be {MASTER_KEY_BYTES} bytes: {_MAKE_ONE}")
        self.version = version
        self._wrapping = AESGCM(_derived(secret, "wrapping"))
        self._phones = _derived(secret, "phones")
        self._commands = _derived(secret, "command ids")
        self._macs = _derived(secret, "command macs")
        self._approvals = _derived(secret, "approvals")
        self._receipts = _derived(secret, "receipts")
        self._destructions = _derived(secret, "destructions")
        self._backups = _derived(secret, "backups")
        self._erasures = AESGCM(_derived(secret, "approvals of erasures"))
        self._webhooks = AESGCM(_derived(secret, "webhook secrets"))

    def __repr__(self) -> str:
        return f"MasterKey(version={self.version})"

    def __reduce__(self) -> str:
        raise TypeError("a master key is not copied into a file or another process: give that process the setting")

    @classmethod
    def read(cls, path: Path) -> MasterKey:
        """Read the key from a file that nobody but its owner (and group) may read."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise MasterKeyRefused(f"{path} is no file: {_MAKE_ONE} and set its path")
            if status.st_mode & stat.S_IRWXO:
                raise MasterKeyRefused(
                    f"everybody on this machine may open {path}: `chmod 600` it; if others had access, make a new key"
                )
            text = path.read_text("ascii")
        except FileNotFoundError:
            raise MasterKeyRefused(f"there is no master key at {path}: {_MAKE_ONE}, or correct the path") from None
        except UnicodeDecodeError:
            raise MasterKeyRefused(f"{path} does not hold base64url text: {_MAKE_ONE}") from None
        except OSError as error:
            raise MasterKeyRefused(
                f"the master key at {path} cannot be read ({error.strerror}): let this user read it"
            ) from None
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> MasterKey:
        """Read the key from a setting's value; refuses what is too short, malformed, or looks typed or copied."""
        text = text.strip()
        if not text:
            raise MasterKeyRefused(f"the master key is empty: {_MAKE_ONE}")
        try:
            secret = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            canonical = urlsafe_b64encode(secret).decode().rstrip("=") == text.rstrip("=")
        except (NotBase64, UnicodeEncodeError):
            canonical = False
        if not canonical:
            raise MasterKeyRefused(f"the master key is not base64url text (A–Z, a–z, 0–9, - and _): {_MAKE_ONE}")
        if len(secret) != MASTER_KEY_BYTES:
            raise MasterKeyRefused(
                f"the master key has {len(secret)} bytes and must have {MASTER_KEY_BYTES}: {_MAKE_ONE}"
            )
        if _looks_made_up(secret):
            raise MasterKeyRefused(f"the master key is a default, an example or typed by hand: {_MAKE_ONE}")
        return cls(secret)

    def wrap(self, key_id: UUID, kind: KeyKind, subject: str, secret: bytes) -> bytes:
        """Wrap a data key, bound to its row: nonce, then ciphertext and tag."""
        nonce = token_bytes(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, secret, _row(key_id, kind, subject))

    def unwrap(self, key_id: UUID, kind: KeyKind, subject: str, wrapped: bytes, version: int) -> bytes:
        """Unwrap a data key; raises MasterKeyRefused where another master key wrapped it, or the row was changed."""
        try:
            if version == self.version:
                return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _row(key_id, kind, subject))
        except InvalidTag:
            pass
        raise MasterKeyRefused(
            f"key {key_id} was wrapped by another master key (its version is {version}), or its row was changed: "
            "start with the master key that this vault was made with"
        )

    def seal_webhook_secret(self, subscriber_id: UUID, secret_id: UUID, secret: bytes) -> bytes:
        """Seal what signs a subscriber's webhooks, bound to its row: nonce, then ciphertext and tag."""
        nonce = token_bytes(NONCE_BYTES)
        return nonce + self._webhooks.encrypt(nonce, secret, subscriber_id.bytes + secret_id.bytes)

    def open_webhook_secret(self, subscriber_id: UUID, secret_id: UUID, sealed: bytes, version: int) -> bytes:
        """Open it again; raises MasterKeyRefused where another master key sealed it, or the row was changed."""
        try:
            if version == self.version:
                bound = subscriber_id.bytes + secret_id.bytes
                return self._webhooks.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
        except InvalidTag:
            pass
        raise MasterKeyRefused(
            f"the webhook secret {secret_id} was sealed by another master key, or its row was changed: start with the "
            f"master key that it was made under, or give the subscriber a new one: `intabaza subscriber rotate "
            f"{subscriber_id}`"
        )

    def conceal_approval(self, approval: bytes) -> bytes:
        """Seal an approval of an erasure, so that two of them tell nothing of each other: nonce, ciphertext and tag."""
        nonce = token_bytes(NONCE_BYTES)
        return nonce + self._erasures.encrypt(nonce, approval, None)

    def reveal_approval(self, concealed: bytes) -> bytes:
        """Open it again; raises ValueError where it was not sealed here, or was changed since."""
        try:
            return self._erasures.decrypt(concealed[:NONCE_BYTES], concealed[NONCE_BYTES:], None)
        except InvalidTag:
            raise ValueError("not sealed by this master key") from None

    def phone_mac(self, number: str) -> bytes:
        return hmac.digest(self._phones, number.encode(), "sha256")

    def command_digest(self, message: bytes) -> bytes:
        return hmac.digest(self._commands, message, "sha256")

    def command_mac(self, message: bytes) -> bytes:
        return hmac.digest(self._macs, message, "sha256")

    def approval_mac(self, message: bytes) -> bytes:
        return hmac.digest(self._approvals, message, "sha256")

    def destruction_mac(self, message: bytes) -> bytes:
        return hmac.digest(self._destructions, message, "sha256")

    def backup_mac(self, message: bytes) -> bytes:
        return hmac.digest(self._backups, message, "sha256")

    def receipt_mac(self, message: bytes) -> bytes:
        return hmac.digest(self._receipts, message, "sha256")


def _derived(secret: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"intabaza vault 1: " + label.encode()).derive(secret)


def _row(key_id: UUID, kind: KeyKind, subject: str) -> bytes:
    return key_id.bytes + f"{kind.value}:{subject}".encode()


def _looks_made_up(secret: bytes) -> bool:
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    return len(set(secret)) < FEWEST_DIFFERENT_BYTES or len(steps) == 1 or secret.isascii()
