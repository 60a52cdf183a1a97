"""The keys that sign the log, in a file of their own: in no database, so that whoever is its superuser signs nothing.

The last key signs. A newer one takes over in one checkpoint that both sign; from then on the older one signs nothing
more and can be retired, which forgets its private half and keeps the public one, by which older checkpoints are
verified for ever.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.local.folder import alone_in, write_synced
from services.local_problem import LocalProblem
from services.settings import public_halves_of
from services.tlog.notes import Note, NoteRefused, Signer, Verifier


class LogKeysRefused(LocalProblem):
    """The file of keys cannot be used, or not so; the message says which file, and what to do."""


class Unnamed(LogKeysRefused):
    """The log is called by its first event, and the ledger has none."""


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key of the log; `private` is None where it is retired, or was never ours."""

    public: bytes
    private: bytes | None = field(default=None, repr=False)

    @classmethod
    def new(cls) -> LogKey:
        private = Ed25519PrivateKey.generate()
        return cls(private.public_key().public_bytes_raw(), private.private_bytes_raw())

    def verifier(self, origin: str) -> Verifier:
        """The key as it is handed on; a log's keys are called as the log is."""
        return Verifier(origin, self.public)

    def signer(self, origin: str) -> Signer | None:
        return Signer(origin, Ed25519PrivateKey.from_private_bytes(self.private)) if self.private else None


@dataclass(frozen=True, slots=True)
class LogKeys:
    """All keys of a log, the oldest first."""

    file: Path
    keys: tuple[LogKey, ...]

    @classmethod
    def read(cls, file: Path) -> LogKeys:
        """Raises LogKeysRefused."""
        try:
            if file.stat().st_mode & 0o077:
                raise LogKeysRefused(f"{file} can be read by others: run `chmod 600 {file}`.")
            keys = tuple(map(_read, orjson.loads(file.read_bytes())["keys"]))
        except FileNotFoundError:
            raise LogKeysRefused(
                f"There is no {file} with the keys of the log: the notary makes it when it first runs. If it ran "
                "before, put it back from where you keep the vault's master key."
            ) from None
        except OSError as error:
            raise LogKeysRefused(f"{file} with the keys of the log cannot be read ({error.strerror}).") from None
        except (ValueError, KeyError, TypeError):
            raise LogKeysRefused(
                f"{file} does not hold the keys of the log: put it back from where you keep the vault's master key."
            ) from None
        if not keys or keys[-1].private is None:
            raise LogKeysRefused(f"{file} holds no key that signs: make one by `intabaza log-keys add`.")
        return cls(file, keys)

    @classmethod
    def read_public(cls, file: Path) -> LogKeys:
        """The public halves alone, from a file that holds no others; raises LogKeysRefused."""
        try:
            keys = tuple(
                LogKey(b64decode(one["public"], validate=True)) for one in orjson.loads(file.read_bytes())["keys"]
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LogKeysRefused(
                f"{file} with the public keys of the log cannot be read ({type(error).__name__}): the notary writes it "
                "beside its keys when it starts; copy it from there."
            ) from None
        return cls(file, keys)

    @classmethod
    def find_or_make(cls, file: Path) -> LogKeys:
        """The keys of a file, or where there is none a first one: the same for all who make it at once; their public
        halves stand beside it then, where anything can be written there. Raises LogKeysRefused."""
        with cls.held(file) as found, suppress(OSError):
            found._write_public()
        return found

    @classmethod
    @contextmanager
    def held(cls, file: Path) -> Iterator[LogKeys]:
        """The same, while nobody else changes them: of two who add a key at once, the second adds to the first's.
        Raises LogKeysRefused."""
        with ExitStack() as alone:
            try:
                alone.enter_context(alone_in(file.parent))
            except OSError as error:
                raise _unwritten(file, error) from None
            if not file.exists():
                cls(file, (LogKey.new(),))._write_first()
            yield cls.read(file)

    def write(self) -> None:
        """Put the whole file there at once, for our account alone, and the public halves beside it; raises
        LogKeysRefused."""
        try:
            write_synced(self.file, self._text())
            self._write_public()
        except OSError as error:
            raise _unwritten(self.file, error) from None

    def _write_first(self) -> None:
        """The same where there is none; one that somebody else made meanwhile stays."""
        try:
            write_synced(self.file, self._text(), anew=True)
        except FileExistsError:
            return
        except OSError as error:
            raise _unwritten(self.file, error) from None

    def _write_public(self) -> None:
        """Put their public halves beside them; raises OSError."""
        halves = replace(self, keys=tuple(LogKey(one.public) for one in self.keys))
        write_synced(public_halves_of(self.file), halves._text())

    def _text(self) -> str:
        held = [
            {"public": b64encode(one.public).decode()}
            | ({"private": b64encode(one.private).decode()} if one.private else {})
            for one in self.keys
        ]
        return orjson.dumps({"keys": held}, option=orjson.OPT_INDENT_2).decode() + "\n"

    def add(self) -> LogKeys:
        """With a new key, which signs from now on."""
        return replace(self, keys=(*self.keys, LogKey.new()))

    def with_former(self, keys: Sequence[Verifier]) -> LogKeys:
        """With these before all others: public halves of lost keys, by which older checkpoints are verified."""
        known = {one.public for one in self.keys}
        return replace(self, keys=(*(LogKey(one.public) for one in keys if one.public not in known), *self.keys))

    def retire(self, verifier: Verifier) -> LogKeys:
        """Without the private half of one that is not the last; raises LogKeysRefused."""
        if verifier.public == self.keys[-1].public:
            raise LogKeysRefused(f"{verifier} is the key that signs: add another one first.")
        if verifier.public not in {one.public for one in self.keys}:
            raise LogKeysRefused(f"{verifier} is no key of {self.file}: `intabaza log-keys list` shows those.")
        keys = (replace(one, private=None) if one.public == verifier.public else one for one in self.keys)
        return replace(self, keys=tuple(keys))

    def verifiers(self, origin: str) -> list[Verifier]:
        """As whoever verifies is told them, the oldest first."""
        return [one.verifier(origin) for one in self.keys]

    def believed(self, origin: str, last: str | None) -> list[Verifier]:
        """Those by which the log is verified now, up to the one that signed the last checkpoint: the order of keys is
        that of their use, and a newer one has signed nothing yet. All of them where none signed it: whoever verifies
        says what that means."""
        verifiers = self.verifiers(origin)
        with suppress(NoteRefused):
            if last is not None:
                return verifiers[: verifiers.index(self._who_signed(origin, last)[-1]) + 1]
        return verifiers

    def signers(self, origin: str, before: str | None) -> list[Signer]:
        """Who signs the checkpoint after one with this note: the last key, and the one before it where it is the first
        that the last key signs. Raises LogKeysRefused where no key is known that signed the note before."""
        newest = self.keys[-1]
        former: tuple[LogKey, ...] = ()
        if before is not None:
            if (called := before.partition("\n")[0]) != origin:
                raise LogKeysRefused(
                    f"the last checkpoint is of {called!r}, and this log is called {origin!r} now: "
                    "a log keeps its name, so set INTABAZA_LOG_ORIGIN to what it was"
                )
            try:
                last = self._who_signed(origin, before)[-1]
            except NoteRefused as refused:
                raise LogKeysRefused(
                    f"the last checkpoint is signed by no key of {self.file} ({refused}): put back the file that held "
                    "it. Where that is lost, `intabaza log-keys former KEY…` with each key of the log that is known "
                    "elsewhere, the oldest first"
                ) from None
            former = tuple(one for one in self.keys[:-1] if one.verifier(origin) == last)
        signers = (one.signer(origin) for one in (*former, newest))
        return [one for one in signers if one is not None]

    def _who_signed(self, origin: str, note: str) -> list[Verifier]:
        """Which of these keys signed a note, the oldest first; raises NoteRefused where none did."""
        verifiers = self.verifiers(origin)
        return sorted(Note.parse(note).signed_by(verifiers), key=verifiers.index)


def _unwritten(file: Path, error: OSError) -> LogKeysRefused:
    return LogKeysRefused(f"{file} cannot be written ({error.strerror}).")


def _read(held: dict[str, Any]) -> LogKey:
    private = b64decode(held["private"], validate=True) if "private" in held else None
    key = LogKey(b64decode(held["public"], validate=True), private)
    if private is not None:
        whole = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        if whole != key.public:
            raise ValueError("two halves that are of two keys")
    return key
