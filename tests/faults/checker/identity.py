"""The id of an event that follows from others: a UUID of version 8 out of a hash of its seed."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

NAMED_UNDER = UUID("6a5c3e0e-2f0b-8d5e-9a51-0a4c7c1f9d11")


def named(seed: str) -> str:
    digest = bytearray(sha256(b"intabaza:thing:" + NAMED_UNDER.bytes + seed.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(digest)))
