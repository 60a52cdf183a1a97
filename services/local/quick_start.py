"""A quicker start of Kafka: its classes as Java laid them out once, kept beside the jars (JEP 483, 515).

A node that begins from there costs less than half of the CPU, and nothing rests on it: a Java that knows no such file,
another one than wrote it, or a file that is damaged starts as slowly as ever.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from services.local.jars import only_one
from services.local.kafka import KafkaServer, wheel_java
from services.local.problems import FolderUnusable
from services.local.progress import Progress, Quiet
from services.local_problem import LocalProblem

CLASSES_ALONE = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")
"""Machine code is not kept with them: Java 25 finds some of it under another name than it was kept, and says so."""

WRITTEN_WITHIN_SECONDS = 120.0
WHAT = "laying out Kafka's classes, once"


def quick_start(jars: Sequence[Path], java: Path | None = None, progress: Progress | None = None) -> tuple[str, ...]:
    """Java's options for a quick start, none where there is no such thing; the first asker of a machine waits for it.

    Safe to call from many processes: one lays out, the others wait. An empty file says that it cannot be done here.
    """
    java = java or wheel_java()
    folder = jars[0].parent
    with suppress(OSError, FolderUnusable):
        release = (java.resolve().parents[1] / "release").read_bytes()
        laid_out = folder / f"{hashlib.sha256(release).hexdigest()[:12]}.aot"
        if not laid_out.exists():
            with only_one(folder.parent):
                if not laid_out.exists():
                    _lay_out(laid_out, jars, java, progress or Quiet())
        if laid_out.stat().st_size:
            return (f"-XX:AOTCache={laid_out}", "-XX:+VerifySharedSpaces", *CLASSES_ALONE)
    return ()


def _lay_out(laid_out: Path, jars: Sequence[Path], java: Path, progress: Progress) -> None:
    """A node starts in a folder of its own, ends, and leaves the file; raises OSError where nothing can be written."""
    with tempfile.TemporaryDirectory(dir=laid_out.parent, prefix=".laying-out-") as scratch:
        draft = Path(scratch) / laid_out.name
        options = (f"-XX:AOTCacheOutput={draft}", *CLASSES_ALONE)
        node = KafkaServer(Path(scratch) / "kafka", jars, java=java, java_options=options)
        progress.advance(WHAT, 0)
        with suppress(LocalProblem):
            node.start(waiting=lambda seconds: progress.advance(WHAT, seconds))
            node.stop(WRITTEN_WITHIN_SECONDS)
        progress.advance(WHAT, 1, 1)
        draft.touch()
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(laid_out)
