"""What a file holds that a person named at the command line, or a sentence why that cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from services.local_problem import LocalProblem

LARGEST_BYTES = 64_000_000
"""More than any file that a person hands over has: rule sets, checkpoints, an event."""


class FileUnusable(LocalProblem):
    """A file that a person named cannot be read."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} cannot be read ({why}).")


def bytes_of(file: Path) -> bytes:
    """All that a file holds; raises FileUnusable.

    A pipe that nobody writes into would be waited for without an end, and a device has none: so it is opened without
    waiting, and looked at.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileUnusable(file, "it is no file: save what it says to one")
            content = opened.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise FileUnusable(file, getattr(error, "strerror", None) or str(error)) from None
    if len(content) > LARGEST_BYTES:
        raise FileUnusable(file, f"it has more than {LARGEST_BYTES:,} bytes")
    return content


def text_of(file: Path) -> str:
    """The same as text in UTF-8; raises FileUnusable."""
    try:
        return bytes_of(file).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileUnusable(file, f"it is no text in UTF-8, from byte {error.start + 1} on") from None
