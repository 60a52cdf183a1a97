"""One seeded bug: a copy of the project with its patch, a session of faults on it, and what the checker says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.settings import Settings, child_environment

ROOT = Path(__file__).parents[3]
COPIED = ("events", "projections", "services", "schemas", "deploy", "tests", "pyproject.toml")
SEED = 20150426
SESSION_SECONDS = 900
SHOWN = 4_000


@dataclass(frozen=True, slots=True)
class Mutant:
    """A patch, and the session that shows it: after `rounds` faults out of `strikes` one of `found_as` is found."""

    patch: Path
    what: str
    strikes: str
    rounds: int
    found_as: frozenset[str]

    @classmethod
    def read(cls, patch: Path) -> Self:
        """Raises KeyError where a patch does not say what it is."""
        head = patch.read_text("utf-8").split("\n---\n", 1)[0]
        told = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        return cls(
            patch,
            told["What"],
            told["Strikes"],
            int(told["Rounds"]),
            frozenset(told["Found as"].split(", ")),
        )

    @property
    def name(self) -> str:
        return self.patch.stem


def every() -> list[Mutant]:
    """All of them, in the order of their names."""
    return [Mutant.read(patch) for patch in sorted(Path(__file__).parent.glob("*.patch"))]


def copy_with(patch: Path, folder: Path) -> Path:
    """A copy of the project in a folder, with this patch; fails where the patch no longer fits."""
    copy = folder / "copy"
    copy.mkdir()
    for name in COPIED:
        one = ROOT / name
        if one.is_dir():
            shutil.copytree(one, copy / name, ignore=shutil.ignore_patterns("mutants"))
        else:
            shutil.copy(one, copy / name)
    # Outside of every repository, or git would take the paths from the root of the one around it.
    done = subprocess.run(
        ["git", "apply", "--verbose", str(patch)],
        cwd=copy,
        env=child_environment(Settings()) | {"GIT_CEILING_DIRECTORIES": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{patch.name} no longer fits: write it anew\n{done.stderr}"
    return copy


BROKEN_OFF = frozenset({"history_not_ended"})


def strike(mutant: Mutant, folder: Path, seed: int = SEED) -> tuple[frozenset[str], str]:
    """What the checker found in a session on the copy, by its names, and what the session said.

    A session that broke off before anything was struck shows nothing, so it is held once more.
    """
    copy = copy_with(mutant.patch, folder)
    found, said = _session(mutant, copy, folder / "kept", seed)
    return (found, said) if found != BROKEN_OFF else _session(mutant, copy, folder / "kept again", seed)


def _session(mutant: Mutant, copy: Path, keep: Path, seed: int) -> tuple[frozenset[str], str]:
    command = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--keep", str(keep)]
    command += ["--faults", str(mutant.rounds), "--strikes", mutant.strikes]
    done = subprocess.run(
        command,
        cwd=copy,
        # Before everything that is installed: the copy is what runs, in this process and in all that it starts.
        env=child_environment(Settings()) | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=SESSION_SECONDS,
        check=False,
    )
    found: set[str] = set()
    for file in keep.glob("*.found"):
        for line in file.read_text("utf-8").splitlines():
            found |= json.loads(line).get("counts", {}).keys()
    return frozenset(found), f"{done.stdout[-SHOWN:]}{done.stderr[-SHOWN:]}"
