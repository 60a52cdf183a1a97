"""A disk whose power a test cuts: an ext4 image on a loop mount. A cut keeps what was flushed and nothing else.

The file system inside holds back what nobody synced (its journal commits every ten minutes only); what it does send on
lands in the image file. So a copy of the image, made once every writer was killed, is the disk after the cut.
"""

from __future__ import annotations

import shutil
import subprocess

from tests.conftest import server_folder

MEGABYTES = 1_536
"""Sparse: it takes what is written."""

COMMIT_SECONDS = 600


class NoLoopMounts(AssertionError):
    """This machine does not let us mount, so nothing can be said about a power cut on it."""


class Disk:
    """A file system at `folder`, which is passable for a server that runs as somebody else."""

    def __init__(self, megabytes: int = MEGABYTES) -> None:
        self._beside = server_folder()
        self._image = self._beside / "image"
        self.folder = self._beside / "disk"
        self.folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(megabytes * 2**20)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self._mount()

    def sync(self) -> None:
        """Flush all of it, as hours of quiet would."""
        _run("sync", "-f", str(self.folder))

    def cut(self) -> None:
        """What the disk holds after a power cut now; whoever wrote to it must have been killed just before."""
        after = self._beside / "after"
        _run("cp", "--sparse=always", str(self._image), str(after))
        self._unmount()
        after.rename(self._image)
        self._mount()

    def remove(self) -> None:
        """Unmount and delete it."""
        self._unmount()
        shutil.rmtree(self._beside, ignore_errors=True)

    def _mount(self) -> None:
        try:
            _run("mount", "-o", f"loop,commit={COMMIT_SECONDS}", str(self._image), str(self.folder))
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise NoLoopMounts(
                "A power cut can be tried only where an image may be mounted through a loop device: run the tests as "
                f"root, with the capability CAP_SYS_ADMIN and a free /dev/loop*. mount said: {said.strip()}"
            ) from error
        self.folder.chmod(0o755)

    def _unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=False, capture_output=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
