"""The data folder: owned by one supervisor at a time, with its state, its secrets and what was once made in it.

lock              held by the supervisor; holds its process id
state.json        which processes run and where they listen; only while a supervisor runs
made.json         written when everything had been made for the first time: from then on nothing is made anew
secrets/          passwords and the vault's master key, for our account only
asked/            a file for each process that a person wants started again, until the supervisor has done it
postgres/ kafka/  the servers' own folders (postgres/ elsewhere when `nobody` cannot reach it; made.json says where)
logs/             what the other processes say
"""

from __future__ import annotations

import base64
import errno
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from services.local.problems import AlreadyRunning, FolderUnusable
from services.local_problem import LocalProblem

PASSWORDS_FOR = (
    "postgres",
    "intabaza_app",
    "intabaza_vault",
    "intabaza_projector",
    "intabaza_notifier",
    "intabaza_notary",
)
"""The roles that log in to the local server: its owner, then as services/local/addresses lists them."""

FULL = (errno.ENOSPC, errno.EDQUOT)
DISK = (*FULL, errno.EFBIG, errno.EIO, errno.EROFS)
"""What a disk says that is full, or fails; what is read meanwhile comes over a network, which says other things."""


class DataFolder:
    """One stack's folder on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state_file = path / "state.json"
        self.made_file = path / "made.json"
        self.secrets = path / "secrets"
        self.logs = path / "logs"
        self.asked = path / "asked"
        self.master_key = self.secrets / "vault-master.key"

    def prepare(self) -> None:
        """Make the folder and prove that it can be written."""
        try:
            # as root the database runs as `nobody`, which must pass through; listing stays ours alone
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            self.asked.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path) as probe:
                probe.write(b"\0" * 65_536)
        except OSError as error:
            raise unusable(self.path, error) from error

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the folder for as long as the block runs; the kernel lets go when the process ends, however it ends."""
        file = (self.path / "lock").open("a+")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise AlreadyRunning(
                    f"Another supervisor (process {file.read().strip() or 'unknown'}) runs the stack in {self.path}: "
                    "use it, or end it with `intabaza down`, or choose another folder in INTABAZA_DATA_FOLDER."
                ) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def is_owned(self) -> bool:
        """Whether a supervisor holds the folder now."""
        try:
            with (self.path / "lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def state(self) -> dict[str, Any] | None:
        """What the supervisor last wrote, or None; after a kill of the supervisor it is what was then."""
        return _read(self.state_file)

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state in one step."""
        write_synced(self.state_file, json.dumps(state, indent=2) + "\n")

    def ask_to_restart(self, name: str) -> None:
        """Ask the supervisor to start a process again; `is_asked_to_restart` says no more once it has."""
        (self.asked / name).touch(mode=0o600)

    def is_asked_to_restart(self, name: str) -> bool:
        """Whether somebody waits for a process to be started again."""
        return (self.asked / name).exists()

    def has_restarted(self, name: str) -> None:
        """Tell whoever asked that it was done."""
        (self.asked / name).unlink(missing_ok=True)

    def forget_what_was_asked(self) -> None:
        """A new supervisor starts everything anyway."""
        for left in self.asked.iterdir():
            left.unlink()

    def made(self) -> dict[str, Any] | None:
        """What was made here when everything was made for the first time; None in a new folder."""
        return _read(self.made_file)

    def write_made(self, made: dict[str, Any]) -> None:
        """Remember that everything was made, so that what is missing later is missed and not made anew."""
        write_synced(self.made_file, json.dumps(made, indent=2) + "\n")

    def passwords(self) -> dict[str, str]:
        """The random passwords of the local server's roles, each made once; a later release may bring another role."""
        file = self.secrets / "postgres.json"
        found = _read(file)
        if found is None:
            self._refuse_if_made(file, "the passwords of the database roles")
            found = {}
        if missing := [role for role in PASSWORDS_FOR if role not in found]:
            found |= {role: secrets.token_hex(24) for role in missing}
            write_synced(file, json.dumps(found, indent=2) + "\n")
        return found

    def find_master_key(self, named: Path | None) -> None:
        """Check the file of the vault's master key, and make our own once: 32 random bytes as base64url, mode 600."""
        file = named or self.master_key
        if file.exists():
            if file.stat().st_mode & 0o077:
                raise LocalProblem(f"{file} can be read by others: run `chmod 600 {file}`, then start again.")
            return
        if named is not None:
            raise LocalProblem(
                f"There is no {named}, which INTABAZA_VAULT_MASTER_KEY_FILE names: put the key there, or remove the "
                "setting in a new stack, which then makes a key of its own in its data folder."
            )
        self._refuse_if_made(file, "the vault's master key")
        write_synced(file, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() + "\n")

    def _refuse_if_made(self, file: Path, what: str) -> None:
        if self.made() is not None:
            raise LocalProblem(
                f"{file} with {what} is gone although this folder was used before: put it back from your backup. "
                "A new one would open nothing that exists."
            )


def unusable(path: Path, error: OSError) -> FolderUnusable:
    """The sentence for a folder that the system would not let us write."""
    if error.errno in FULL:
        return FolderUnusable(
            f"The disk under {path} is full: free some space, then start again; nothing accepted is lost."
        )
    return FolderUnusable(
        f"The data folder {path} cannot be written ({error.strerror}): make it writable for this account, "
        "or choose another one in INTABAZA_DATA_FOLDER."
    )


def unwritten(path: Path, error: OSError) -> FolderUnusable:
    """The sentence for a file that a person named, and that the system would not let us write."""
    if error.errno in FULL:
        return FolderUnusable(
            f"{path} cannot be written, as the disk is full: free some space there, or choose another place."
        )
    return FolderUnusable(f"{path} cannot be written ({error.strerror or error}): choose another place.")


def write_whole(file: Path, content: bytes) -> None:
    """Put a file where a person named it, whole or not at all; what was there stays until then.

    Of two who write the same file at once, each does so under another name first. Raises FolderUnusable.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        if file.exists() and not file.is_file():  # a pipe, or a terminal
            file.write_bytes(content)
            return
        with draft.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise unwritten(file, error) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else is here who reads a file of this folder, and puts it back with a change.

    The kernel lets go when the process ends, however it ends. Raises OSError where there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system that has no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_synced(file: Path, text: str, *, anew: bool = False) -> None:
    """Write a file for our account only, whole or not at all, and on the disk when this returns.

    Raises FileExistsError for a file that is written `anew` and is there by now.
    """
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")  # mode 600
    try:
        with os.fdopen(descriptor, "w") as open_draft:
            open_draft.write(text)
            open_draft.flush()
            os.fsync(open_draft.fileno())
        if anew:
            os.link(draft, file)
            Path(draft).unlink()
        else:
            Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    return found
