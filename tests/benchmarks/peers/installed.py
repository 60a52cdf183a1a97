"""The peers' own environment: the dependency group `peers`, in a folder of the cache, so that our lock stays clean."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

from services.settings import Settings

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


class NotInstalled(RuntimeError):
    """The peers cannot be installed here; the message says why."""


def peers_python() -> Path:
    """The interpreter that has them, installed first where it is missing. Raises NotInstalled."""
    wanted: list[str] = tomllib.loads(PYPROJECT.read_text())["dependency-groups"]["peers"]
    mark = sha256(f"{sys.version} {wanted}".encode()).hexdigest()[:12]
    folder = Settings().cache_folder / f"peers-{mark}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        print("Installing Quix Streams and Bytewax into an environment of their own.", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *wanted])
        complete.touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled("\n".join((done.stdout + done.stderr).splitlines()[-3:]))
