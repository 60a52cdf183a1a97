"""Logs that are sent to a witness, honest ones and such as fork; and `python -m tests.support.witnessing FOLDER STEP`.

The process cosigns one request, which is on its input, and stops at the so manieth thing that it does to the disk: it
says so, and stays until it is killed. What it cosigned it says, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.tlog.notes import Note, Verifier
from services.witness.folder import Folder
from services.witness.witness import Witness
from tests.support import reference_merkle as reference
from tests.support.signed_logs import LogKey

ORIGIN = "log.example.org/trial"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass(frozen=True)
class TrialLog:
    """A history of entries, under the key of a log: two that differ are a log that forked."""

    entries: tuple[bytes, ...]
    key: LogKey = field(default_factory=lambda: LogKey("trial", ORIGIN))

    def note(self, size: int) -> str:
        """The checkpoint of this size."""
        return signed(self.key, size, reference.tree_hash(self.entries[:size]))

    def request(self, old: int, size: int, proof: Sequence[bytes] | None = None) -> bytes:
        """What is sent to a witness that cosigned `old` last; a proof of this history where none is given."""
        if proof is None:
            proof = reference.proof(old, self.entries[:size]) if 0 < old < size else []
        return request(old, proof, self.note(size))


def entries(count: int, of: str = "honest") -> tuple[bytes, ...]:
    return tuple(f"{of} {number}".encode() for number in range(count))


def signed(key: LogKey, size: int, root: bytes) -> str:
    text = f"{key.name}\n{size}\n{b64encode(root).decode()}\n"
    return f"{text}\n{key.line(text)}"


def request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    return f"old {old}\n{''.join(b64encode(one).decode() + chr(10) for one in proof)}\n{note}".encode()


def new_folder(path: Path, name: str = "witness.example.org/w1", *logs: LogKey) -> Folder:
    """A witness that watches these logs; the one on trial where none is named."""
    folder = Folder(path)
    folder.make(name)
    for log in logs or (LogKey("trial", ORIGIN),):
        folder.trust(Verifier.parse(log.vkey))
    return folder


def is_cosigned(folder: Folder, text: str, line: str) -> bool:
    """Whether a line is this witness's cosignature of a text."""
    key = folder.verifier()
    return Note.parse(f"{text}\n{line}").signed_by([key]) == [key]


def cosign_elsewhere(folder: Folder, body: bytes, step: int) -> tuple[str, str]:
    """Let a process cosign, and kill it with SIGKILL at this step: what it was about to do, and what it cosigned.

    The first is empty where it came to its end before.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder.path), str(step)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(body)
        process.stdin.close()
        said = process.stdout.readline().decode()
        process.kill()
    kind, _, rest = said.rstrip("\n").partition(" ")
    assert kind in ("before", "cosigned"), said
    return (rest, "") if kind == "before" else ("", f"{rest}\n")


def _cosign(folder: Folder, step: int) -> None:
    done = 0

    def stopping(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done == step:
                print("before", name, done, flush=True)
                sys.stdin.buffer.read()
                os.kill(os.getpid(), 19)
            return act(*arguments, **named)

        return acted

    with Witness.opened(folder) as witness:
        body = sys.stdin.buffer.read()
        os.fsync = stopping("fsync", os.fsync)
        os.fdopen = stopping("write", os.fdopen)
        Path.replace = stopping("replace", Path.replace)  # type: ignore[method-assign]
        print("cosigned", witness.add(body, NOON), end="", flush=True)
        os.kill(os.getpid(), 19)  # and stay, owning the folder


if __name__ == "__main__":
    _cosign(Folder(Path(sys.argv[1])), int(sys.argv[2]))
