"""The repository itself: names of packages, who reads the clock, and no trace of the machine it was written on."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("events", "projections", "schemas", "services")
CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
OF_A_MACHINE = re.compile("|".join(["/wor" + "k/", "/roo" + "t/", "/hom" + r"e/[a-z]+/", r"[A-Z]:\\Use" + "rs"]))


def files() -> list[Path]:
    """Every file that a clone has; where there is no git, every file that is no product of a tool."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True).stdout.decode()
        found = [ROOT / name for name in listed.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not {"__pycache__", ".venv"} & set(path.parts)]
    return [path for path in found if path.is_file()]


def modules() -> list[Path]:
    return [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]


def _names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("package", OURS)
def test_no_other_distribution_brings_a_package_of_our_name(package: str) -> None:
    assert set(packages_distributions().get(package, ())) <= {"intabaza"}


def test_only_one_module_reads_the_clock() -> None:
    readers = {path.relative_to(ROOT).as_posix() for path in modules() if CLOCK & set(_names_in(path))}
    assert readers == {"services/clock.py"}


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if {"os.environ", "os.getenv", "os.environb"} & set(_names_in(path))
    }
    assert readers <= {"services/settings.py"}


def test_what_is_put_into_bundles_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    verifier = ast.parse((ROOT / "services/tlog/offline/verify.py").read_text("utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(verifier)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert imported - sys.stdlib_module_names == {"cryptography"}


def test_the_schemas_hold_no_program() -> None:
    programs = [path for path in (ROOT / "schemas").rglob("*.py") if path.read_text("utf-8").strip()]
    assert programs == []


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    traces = {}
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if found := OF_A_MACHINE.search(text):
            traces[path.relative_to(ROOT).as_posix()] = found.group()
    assert traces == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "services/local/kafka.lock.toml", "schemas/lock.json"])
def test_a_lock_carries_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "index-url" not in text


def test_a_lock_of_npm_carries_hashes_and_no_address_of_a_registry() -> None:
    locks = [path for path in files() if path.name == "package-lock.json" and "node_modules" not in path.parts]
    assert locks
    for path in locks:
        packages = {name: each for name, each in json.loads(path.read_bytes())["packages"].items() if name}
        assert [name for name, each in packages.items() if "integrity" not in each or "resolved" in each] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "base", "manager", "core", "types", "misc"}
    assert [path for path in modules() if path.stem in nothing or path.parent.name in nothing] == []
