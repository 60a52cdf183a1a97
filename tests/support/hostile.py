"""Bundles and packs as files by their names, to be spoilt, and `verify.py` run on them with all that it says."""

from __future__ import annotations

import io
import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from services.tlog.offline import verify as verifier
from tests.support.reference_merkle import path as path_to
from tests.support.signed_logs import ORIGIN, SignedLog

Files = dict[str, bytes]

STATUSES = range(9)
"""Those that the head of verify.py documents."""


def bundle_of(log: SignedLog) -> Files:
    """A bundle of a log, with its manifest."""
    files = log.files()
    return files | {"manifest.json": manifest_of(files, size=len(log.wires))}


def pack_of(log: SignedLog) -> Files:
    """An evidence pack of the longest case in a log, under its last checkpoint."""
    held: dict[str, list[int]] = {}
    for position, wire in enumerate(log.wires, 1):
        held.setdefault(json.loads(wire)["subject"], []).append(position)
    stream = max((one for one in held if one.startswith("case/")), key=lambda one: len(held[one]))
    leaves, positions = log.wires[: log.covered], held[stream]
    proofs = "".join(
        f"c2sp.org/tlog-proof@v1\nindex {one - 1}\n{_lines(path_to(one - 1, leaves))}\n{log.notes[-1]}"
        for one in positions
        if one <= log.covered
    )
    files = {
        "checkpoints.txt": log.notes[-1].encode(),
        "keys.txt": "".join(f"{key.vkey}\n" for key in log.keys).encode(),
        "events/000001.jsonl": b"".join(log.wires[one - 1] + b"\n" for one in positions),
        "proofs/000001.txt": proofs.encode(),
    }
    stated = {"size": len(log.wires), "kind": "evidence", "case": stream.removeprefix("case/"), "positions": positions}
    return files | {"manifest.json": manifest_of(files, **stated)}


def manifest_of(files: Mapping[str, bytes], **stated: Any) -> bytes:
    """A manifest of these files, with whatever is stated beside them."""
    sums = {name: sha256(one).hexdigest() for name, one in files.items() if name != "manifest.json"}
    return json.dumps({"format": 1, "origin": ORIGIN, "files": sums} | stated).encode()


def summed(files: Files) -> Files:
    """The same under a manifest whose sums fit, by somebody who hopes that nobody looks."""
    stated = json.loads(files["manifest.json"])
    del stated["files"]
    return files | {"manifest.json": manifest_of(files, **stated)}


def said_of(path: Path, *arguments: object) -> tuple[int, str]:
    """Status and stdout of `verify.py`; it says nothing that a terminal would obey, and raises nothing."""
    out, err = io.StringIO(), io.StringIO()
    given = ["verify.py", str(path), *map(str, arguments)]
    with patch.object(sys, "argv", given), redirect_stdout(out), redirect_stderr(err):
        status = verifier.main()
    said = out.getvalue()
    assert status in STATUSES
    assert said.removesuffix("\n").replace("\n", "").isprintable(), said
    assert err.getvalue().replace("\r", "").replace("\n", "").isprintable()
    return status, said


def _lines(hashes: list[bytes]) -> str:
    return "".join(f"{b64encode(one).decode()}\n" for one in hashes)
