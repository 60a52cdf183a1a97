"""Ids of commands: the server's own, since no id that a phone, a form or a provider gave may stand on the wire."""

from __future__ import annotations

from uuid import UUID

from services.vault.master import MasterKey


class CommandIds:
    """Derives a command's id and the proof of its body; the same in every process with the same master key."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def command_id(self, scope: UUID, client_id: str) -> UUID:
        """The id of what `scope` (the sender's person id) calls `client_id`; two senders' equal ids do not meet."""
        digest = bytearray(self._master.command_digest(scope.bytes + client_id.encode())[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return UUID(bytes=bytes(digest))

    def command_mac(self, canonical_command: bytes) -> bytes:
        """32 bytes that change with the command's body, and from which nobody without the key can guess it."""
        return self._master.command_mac(canonical_command)
