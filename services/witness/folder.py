"""The folder of a witness: its key, the logs that it watches, and what it cosigned last of each.

key.json    the witness's name and private key, for our account alone
logs.txt    the keys of the logs that are watched, one a line; whoever runs the witness adds to it
state.json  what was cosigned last of each log, numbered; under a MAC, so that nothing of it is believed that was edited
mark.json   the number of the state that was written last, and which file `lock` is: a state that was put back from a
            backup has a lower number, and a whole folder that was put back, or copied, another file
lock        held by the one process that cosigns
forks/      two checkpoints each, signed by a log, that cannot both be true
unproven/   of a log what was cosigned last, and what it signed since without a proof that it goes on from there
"""

from __future__ import annotations

import fcntl
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.local.folder import alone_in, write_synced
from services.local.problems import AlreadyRunning
from services.local_problem import LocalProblem
from services.tlog.notes import Kind, NoteRefused, Signer, Verifier
from services.witness.submission import Checkpoint, Head

RESUME = (
    "nothing is cosigned, as it could contradict what was. Get from each log its last checkpoint with this witness's "
    "cosignature (an Intabaza log shows it at /v1/log/checkpoint?witness=NAME), then `intabaza witness resume "
    "--cosigned FILE …`"
)
MOST_FORKS = 64
_COMMENT = re.compile(r"(^|\s)#.*")
_GENERATION = 0x80087601
"""Linux's FS_IOC_GETVERSION: what tells a file from a later one that was given its inode."""


class FolderRefused(LocalProblem):
    """The folder cannot be used; the message says why, and what to do."""


class StateOlder(FolderRefused):
    """What the folder holds is not what this witness wrote last: it was put back, copied, cut or edited."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was cosigned last of a log: the note as it was given out, and the Unix time that it was given."""

    note: str
    seconds: int

    @property
    def head(self) -> Head:
        return Checkpoint.read(self.note).head


@dataclass(frozen=True, slots=True)
class State:
    """What was cosigned last, by the origins of logs; `number` counts what was written."""

    number: int = 0
    logs: Mapping[str, Seen] = field(default_factory=dict)

    def with_seen(self, origin: str, seen: Seen) -> State:
        """The next one, which has seen this of a log."""
        return State(self.number + 1, {**self.logs, origin: seen})


@dataclass(frozen=True, slots=True)
class Folder:
    """A witness's folder on disk. Every method raises FolderRefused."""

    path: Path

    def make(self, name: str) -> Signer:
        """A new witness of this name, with a key of its own."""
        try:
            signer = Signer(name, private := Ed25519PrivateKey.generate())
        except NoteRefused as refused:
            raise FolderRefused(f"{name!r} cannot be the name of a witness: {refused}.") from None
        key = {"name": name, "private": b64encode(private.private_bytes_raw()).decode()}
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (self.path / "key.json").exists():
                raise FolderRefused(f"{self.path} holds a witness already: `intabaza witness keys` shows its key.")
            with self.owned():
                _write(self.path / "key.json", key)
                (self.path / "logs.txt").touch(mode=0o600)
                self.write(State())
        except OSError as error:
            raise FolderRefused(f"{self.path} cannot be written ({error.strerror}): choose another folder.") from None
        return signer

    def signer(self) -> Signer:
        """The key that cosigns."""
        name, private = self._key()
        return Signer(name, Ed25519PrivateKey.from_private_bytes(private))

    def verifier(self) -> Verifier:
        """The key as it is handed to logs and auditors."""
        return self.signer().verifier(Kind.COSIGNATURE)

    def trusted(self) -> dict[str, list[Verifier]]:
        """The keys of the logs that are watched, by their origins."""
        found: dict[str, list[Verifier]] = {}
        for line in _read_text(self.path / "logs.txt").splitlines():
            if said := _COMMENT.sub("", line).strip():
                key = log_key(said, f"{self.path / 'logs.txt'}: ")
                found.setdefault(key.name, []).append(key)
        return found

    def trust(self, key: Verifier) -> None:
        """Watch a log, or believe another key of it, too."""
        file = self.path / "logs.txt"
        try:
            with alone_in(self.path):
                if key not in self.trusted().get(key.name, []):
                    before = _read_text(file).rstrip("\n")
                    write_synced(file, f"{before}\n{key}\n".lstrip("\n"))
        except OSError as error:
            raise FolderRefused(f"{file} cannot be written ({error.strerror}).") from None

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the folder as the only process; the kernel lets go when the process ends, however it ends."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise FolderRefused(
                f"There is no witness in {self.path} ({error.strerror}): `intabaza witness keys --name NAME` makes one."
            ) from None
        try:
            if not _locks(descriptor):
                raise AlreadyRunning(
                    f"Another process runs the witness in {self.path}: two over one state would cosign two histories. "
                    "End that one first."
                )
            yield
        finally:
            os.close(descriptor)

    def state(self) -> State:
        """What was cosigned last; raises StateOlder where this is not what this witness wrote last."""
        state, (number, place) = self._stated(), self._mark()
        if state is None:
            raise StateOlder(f"{self.path / 'state.json'} is missing, cut or edited: {RESUME}.")
        if place != self._place():
            raise StateOlder(f"{self.path} was put back from a backup, or copied: {RESUME}.")
        # one more is what a process that was killed before it cosigned has left
        if not number <= state.number <= number + 1:
            raise StateOlder(f"{self.path / 'state.json'} is older than what was cosigned since: {RESUME}.")
        return state

    def left(self) -> State:
        """What the folder holds, whatever became of it; of a state that was cut or edited nothing is believed."""
        state, (number, _) = self._stated() or State(), self._mark()
        return State(max(state.number, number), state.logs)

    def write(self, state: State) -> None:
        """Remember a state: it is on the disk when this returns. The folder has to be owned. Raises OSError."""
        logs = {origin: {"note": one.note, "seconds": one.seconds} for origin, one in state.logs.items()}
        said = {"number": state.number, "logs": logs}
        _write(self.path / "state.json", said | {"mac": self._mac(said)})
        _write(self.path / "mark.json", {"number": state.number, "place": self._place()})

    def keep_fork(self, name: str, notes: str) -> None:
        """Keep what shows that a log forked, as far as there is room; never another one of the same name."""
        folder = self.path / "forks"
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            if not (folder / name).exists() and len(self.forks()) < MOST_FORKS:
                write_synced(folder / name, notes)

    def forks(self) -> list[Path]:
        """The files that show that a log forked."""
        return sorted((self.path / "forks").glob("*.txt"))

    def keep_unproven(self, origin: str, notes: str) -> None:
        """Keep what a log signed last, and was not cosigned since its proof did not lead there."""
        file = self._unproven(origin)
        with suppress(OSError):
            if not file.exists() or file.read_text() != notes:
                file.parent.mkdir(mode=0o700, exist_ok=True)
                write_synced(file, notes)

    def forget_unproven(self, origin: str) -> None:
        """The log is cosigned again."""
        with suppress(OSError):
            self._unproven(origin).unlink(missing_ok=True)

    def unproven(self) -> list[Path]:
        """The files of logs that are not cosigned any more."""
        return sorted((self.path / "unproven").glob("*.txt"))

    def _unproven(self, origin: str) -> Path:
        return self.path / "unproven" / f"{sha256(origin.encode()).hexdigest()[:16]}.txt"

    def _stated(self) -> State | None:
        found = _read(self.path / "state.json")
        try:
            if found is None or not hmac.compare_digest(str(found.pop("mac")), self._mac(found)):
                return None
            return State(found["number"], {origin: Seen(**one) for origin, one in found["logs"].items()})
        except (KeyError, TypeError, AttributeError):
            return None

    def _mark(self) -> tuple[int, str]:
        """The number of the state that was written last, and which file `lock` was."""
        found = _read(self.path / "mark.json") or {}
        number, place = found.get("number"), found.get("place")
        return (number, place) if isinstance(number, int) and isinstance(place, str) else (0, "")

    def _mac(self, said: Mapping[str, Any]) -> str:
        key = b"intabaza witness state\n" + self._key()[1]
        return hmac.digest(key, orjson.dumps(said, option=orjson.OPT_SORT_KEYS), "sha256").hex()

    def _key(self) -> tuple[str, bytes]:
        file = self.path / "key.json"
        try:
            if file.stat().st_mode & 0o077:
                raise FolderRefused(f"{file} can be read by others: run `chmod 600 {file}`.")
            found = orjson.loads(file.read_bytes())
            name, private = str(found["name"]), b64decode(found["private"], validate=True)
            Signer(name, Ed25519PrivateKey.from_private_bytes(private))
        except FileNotFoundError:
            raise FolderRefused(
                f"There is no witness in {self.path}: `intabaza witness keys --name NAME` makes one."
            ) from None
        except OSError as error:
            raise FolderRefused(f"{file} cannot be read ({error.strerror}).") from None
        except (ValueError, KeyError, TypeError):
            raise FolderRefused(f"{file} does not hold the key of a witness: put it back from your backup.") from None
        return name, private

    def _place(self) -> str:
        """Which file `lock` is: another one in a folder that was put back or copied."""
        descriptor = os.open(self.path / "lock", os.O_RDONLY)
        try:
            generation = bytearray(8)
            with suppress(OSError):  # a file system that has none
                fcntl.ioctl(descriptor, _GENERATION, generation)
            return f"{os.fstat(descriptor).st_ino}-{generation[:4].hex()}"
        finally:
            os.close(descriptor)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def log_key(said: str, where: str = "") -> Verifier:
    """A key of a log; raises FolderRefused."""
    try:
        key = Verifier.parse(said)
    except NoteRefused as refused:
        raise FolderRefused(f"{where}{said}: {refused}.") from None
    if key.kind is not Kind.NOTE:
        raise FolderRefused(f"{where}{said} is the key of a witness: give that of a log (`intabaza log-keys list`).")
    return key


def _write(file: Path, held: Mapping[str, Any]) -> None:
    write_synced(file, orjson.dumps(held, option=orjson.OPT_INDENT_2).decode() + "\n")


def _read(file: Path) -> dict[str, Any] | None:
    """None where it is missing, cut or no JSON."""
    try:
        found = orjson.loads(file.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    except OSError as error:
        raise FolderRefused(f"{file} cannot be read ({error.strerror}).") from None
    return found if isinstance(found, dict) else None


def _read_text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, ValueError) as error:
        raise FolderRefused(f"{file} cannot be read ({type(error).__name__}).") from None
