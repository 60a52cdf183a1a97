"""What the vault may answer instead of a key or a text; no message ever holds either.

VaultError
├── MasterKeyRefused   the master key is missing, readable by others, malformed or a default: says what to do
├── KeyGone            the key was destroyed, or the person it speaks of erased: what it protected is erased
├── NoSuchKey          this vault never made that key: another vault's event, or the vault was restored too far back
├── CannotOpen         the ciphertext does not open where it stands: moved, swapped, cut or altered
├── NotSealed          the event has no sealed field of that name
├── AlreadySealed      a text sealed elsewhere was put into a new event, where it would never open
├── SourceDiffers      the report already has another source
├── ApprovalUsed       an approval is good for one opening or erasure, and had it
└── VaultUnavailable   the vault's database did not answer; nothing was opened
"""

from __future__ import annotations

from uuid import UUID


class VaultError(Exception):
    """The vault did not do what was asked."""


class MasterKeyRefused(VaultError):
    """The master key cannot be used; the message says why and what to do."""


class KeyGone(VaultError):
    """The key was destroyed, or it speaks of somebody who was erased."""

    def __init__(self) -> None:
        super().__init__(
            "the key of this text was destroyed: what it protected is erased and nothing more is sealed by it"
        )


class NoSuchKey(VaultError):
    """This vault has no such key."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(
            f"this vault has no key {key_id}, so what it sealed does not open: the vault is another ledger's, or an "
            "old copy from before that key was made"
        )


class CannotOpen(VaultError):
    """The ciphertext does not open where it stands."""

    def __init__(self, stream: str, version: int, field: str) -> None:
        super().__init__(
            f"{field} of {stream} version {version} does not open: it was moved, swapped, cut or altered; "
            "compare this event with the log"
        )


class NotSealed(VaultError):
    """The event has no sealed field of that name."""

    def __init__(self, stream: str, version: int, field: str, known: list[str]) -> None:
        super().__init__(f"{stream} version {version} has no sealed field {field}; it has {', '.join(known) or 'none'}")


class AlreadySealed(VaultError):
    """A sealed text opens only where it was sealed."""

    def __init__(self, field: str) -> None:
        super().__init__(
            f"{field} was sealed for another event and would never open here: carry it over and seal it anew"
        )


class SourceDiffers(VaultError):
    """A report has one source, for ever."""

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"report {report_id} already has another source: a report from somebody else is a new report")


class ApprovalUsed(VaultError):
    """An approval is good once."""

    def __init__(self) -> None:
        super().__init__("one of these approvals was used before, and each is good once: have it approved again")


class NotDestroyed(VaultError):
    """Nothing was destroyed, since the ledger does not take now that it was."""

    def __init__(self, why: str) -> None:
        super().__init__(f"nothing was destroyed, because the ledger takes nothing now: {why}; mend that, then again")


class VaultUnavailable(VaultError):
    """The vault's database did not answer."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the vault did not answer while it should {what}: check its database, then try again")
