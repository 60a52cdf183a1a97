"""Which account a server runs under, and which folders that account can reach.

PostgreSQL refuses to run as root. So as root we run it as `nobody`, which must be able to pass every folder above the
binaries and the data; where it cannot (a clone in a root-only home), both live in a folder of their own elsewhere.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class RunAs(TypedDict, total=False):
    """The keyword arguments of `subprocess.Popen` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that own a server's files and run its process."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether it is the account that we run under ourselves."""
        return self.uid == os.geteuid()

    def run_as(self) -> RunAs:
        """What `Popen` needs to start a process under this account."""
        return RunAs() if self.is_ours else RunAs(user=self.uid, group=self.gid, extra_groups=[])

    def can_reach(self, path: Path) -> bool:
        """Whether every folder above `path` lets this account through (and `path` itself can be read, if it exists)."""
        if self.is_ours:
            return True
        path = path.absolute()
        if not all(self._may(folder, 0o1) for folder in _existing(path.parent)):
            return False
        return not path.exists() or self._may(path, 0o5)

    def owns(self, path: Path) -> None:
        """Give one file or folder to this account."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)

    def _may(self, path: Path, bits: int) -> bool:
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return (found.st_mode >> shift) & bits == bits


def server_account() -> Account:
    """`nobody` for root, otherwise ourselves."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _existing(folder: Path) -> Iterator[Path]:
    # resolved as well: a link into a closed folder is as closed as the folder
    for path in {*(folder, *folder.parents), *(folder.resolve(), *folder.resolve().parents)}:
        if path.exists():
            yield path
