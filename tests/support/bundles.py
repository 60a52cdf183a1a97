"""What `verify.py` says of a bundle, as its tests read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from services.tlog.offline.verify import (
    USAGE,
    VERIFIED,
    Verdict,
    read_checkpoints,
    read_keys,
    verify,
    witnesses_said,
)
from tests.support.signed_logs import LogKey, SignedLog

Then = Callable[[dict[str, bytes]], None]


def judge(
    log: SignedLog,
    folder: Path,
    *keys: LogKey,
    kept: Sequence[str] = (),
    position: int | None = None,
    then: Then | None = None,
    demanded: Sequence[LogKey] = (),
) -> tuple[int, str]:
    """Status and sentence on a bundle of a log."""
    path = log.write(folder / "bundle.zip", then=then)
    given = [one for key in keys for one in read_keys(key.vkey, "--key", USAGE)]
    try:
        stated = [one for text in kept for one in read_checkpoints(text, "kept", USAGE)]
        return VERIFIED, verify(path, given, stated, position, witnesses_said([one.vkey for one in demanded]))
    except Verdict as verdict:
        return verdict.status, str(verdict)


def first_bad(sentence: str) -> int:
    """The position that a sentence names as the first bad one."""
    found = re.search(r"Position (\d+) is the first (?:bad one|where it shows)", sentence)
    assert found, sentence
    return int(found[1])
