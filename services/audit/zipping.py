"""A zip that is written in one go and is there when it is whole, with the sum of each file in it."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from services.local.folder import DISK, unwritten
from services.local.problems import FolderUnusable

LINES_EACH = 10_000
BYTES_EACH = 16_000_000
"""A file of lines ends at whichever comes first, so that whoever reads one whole needs little memory."""

PIECE = 1_000_000
MANIFEST = "manifest.json"


class Zip:
    """A zip under a temporary name until it is whole; files that grow at the same time are written beside it.

    Raises FolderUnusable where the disk does not take it, and leaves nothing of it there.
    Without a path it has no name at all, and is gone with this process: whoever made it reads it from `whole`.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part") if path else None
        self._unnamed: dict[str, IO[bytes]] = {}
        self._written: list[IO[bytes]] = []
        self._finished = False
        self.sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self.path is not None and self.path.is_dir():
            raise FolderUnusable(f"{self.path} is a folder: name the file to write.")
        if self.path is not None and self.path.exists() and not self.path.is_file():
            # root could put the zip in the place of a device, which every program would then write into
            raise FolderUnusable(f"{self.path} is no file, but a device or a pipe: name the file to write.")
        try:
            self._folder = tempfile.TemporaryDirectory(
                dir=self.path.parent if self.path else None, prefix=f".{self.path.name}." if self.path else None
            )
        except OSError as error:
            raise self._unwritten(error) from error
        try:
            self.whole = self._begun()
        except OSError as error:
            self._folder.cleanup()
            raise self._unwritten(error) from error
        self._zip = zipfile.ZipFile(self.whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()
        for one in (*self._written, *self._unnamed.values()):
            with contextlib.suppress(OSError):
                one.close()
        self._folder.cleanup()
        if self._part is not None:
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)  # it has another name where it became whole
        if self._part is not None or not self._finished:
            with contextlib.suppress(OSError):
                self.whole.close()
        if isinstance(error, OSError) and error.errno in DISK:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> FolderUnusable:
        return unwritten(self.path or Path(tempfile.gettempdir()), error)

    def _begun(self) -> IO[bytes]:
        """The file that becomes the zip, for our account alone."""
        if self._part is None:
            return tempfile.TemporaryFile()
        return os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")

    def beside(self, name: str) -> IO[bytes]:
        """A file that grows at the same time, in a folder beside; `add_beside` takes it in under this name."""
        path = Path(self._folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written.append(written := path.open("wb"))
        return written

    def unnamed(self, name: str) -> IO[bytes]:
        """The same under no name on the disk, so that whoever kills this process leaves nothing to read."""
        kept = self._unnamed[name] = tempfile.TemporaryFile(dir=self._folder.name)  # noqa: SIM115
        self._written.append(written := os.fdopen(os.dup(kept.fileno()), "wb"))
        return written

    def unnamed_in(self, folder: str) -> Iterator[IO[bytes]]:
        """The files of one folder inside that have no name on the disk yet, in order, to be read from the beginning."""
        for name in sorted(name for name in self._unnamed if name.startswith(folder)):
            self._unnamed[name].seek(0)
            yield self._unnamed[name]

    def open(self, name: str) -> IO[bytes]:
        """A file inside that is written now; nothing else is added until it is closed."""
        return self._zip.open(name, "w", force_zip64=True)

    def add(self, name: str, content: bytes) -> None:
        """A whole small file."""
        self._zip.writestr(name, content)
        self.sums[name] = sha256(content).hexdigest()

    def add_beside(self) -> None:
        """Every file beside, under its path there."""
        folder = Path(self._folder.name)
        for one in sorted(one for one in folder.rglob("*") if one.is_file()):
            with one.open("rb") as reading:
                self._take_in(one.relative_to(folder).as_posix(), reading)
        for name, unnamed in sorted(self._unnamed.items()):
            unnamed.seek(0)
            self._take_in(name, unnamed)

    def _take_in(self, name: str, reading: IO[bytes]) -> None:
        digest = sha256()
        with self.open(name) as writing:
            while piece := reading.read(PIECE):
                digest.update(piece)
                writing.write(piece)
        self.sums[name] = digest.hexdigest()

    def ship(self, shipped: Mapping[str, str], package: str = "services.tlog.offline") -> None:
        """Files that every zip of this kind holds, by the names that they have in a package of ours."""
        for name, source in shipped.items():
            self.add(name, files(package).joinpath(source).read_bytes())

    def finish(self, manifest: bytes) -> None:
        """Make it whole and give it its name, where it gets one."""
        self._zip.writestr(MANIFEST, manifest)
        self._zip.close()
        self.whole.flush()
        if self.path is not None and self._part is not None:
            os.fsync(self.whole.fileno())
            try:
                self._part.replace(self.path)
            except OSError as error:
                raise self._unwritten(error) from error
        self.whole.seek(0)
        self._finished = True


def manifest_of(sums: Mapping[str, str], stated: Mapping[str, Any]) -> bytes:
    """What a manifest says: what is stated of the whole, and the sum of every file."""
    return (json.dumps({"format": 1, **stated, "files": dict(sums)}, indent=1) + "\n").encode()


@dataclass
class Parts:
    """Files that are written one after the other, each with its sum."""

    folder: str
    ending: str
    number: int = 0
    file: IO[bytes] | None = None
    lines: int = 0
    size: int = 0

    def next_name(self) -> str:
        return f"{self.folder}/{self.number + 1:06}.{self.ending}"

    def is_full(self, more: int) -> bool:
        return self.file is not None and (self.lines >= LINES_EACH or self.size + more > BYTES_EACH)

    def begin(self, file: IO[bytes]) -> None:
        self.number, self.file, self.lines, self.size, self._sum = self.number + 1, file, 0, 0, sha256()

    def write(self, line: bytes) -> None:
        assert self.file is not None
        self.file.write(line)
        self._sum.update(line)
        self.lines, self.size = self.lines + 1, self.size + len(line)

    def end(self) -> tuple[str, str]:
        assert self.file is not None
        self.file.close()
        self.file = None
        return f"{self.folder}/{self.number:06}.{self.ending}", self._sum.hexdigest()

    def abandon(self) -> None:
        if self.file is not None:
            self.file.close()


class PartsBeside:
    """Parts that grow beside a zip, each in a file that `begin` makes of its name."""

    def __init__(self, begin: Callable[[str], IO[bytes]], name: str, ending: str) -> None:
        self._begin, self._parts = begin, Parts(name, ending)
        self._next()

    def write(self, line: bytes) -> None:
        """One more line, or several that stay together."""
        if self._parts.is_full(len(line)):
            self._parts.end()
            self._next()
        self._parts.write(line)

    def close(self) -> None:
        """Nothing more is added."""
        self._parts.abandon()

    def _next(self) -> None:
        self._parts.begin(self._begin(self._parts.next_name()))
