"""`verify.py` reads no more than a bundle can have, says so of what has more, and ends when it is interrupted."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from services.tlog.offline import verify as verifier
from services.tlog.offline.verify import EDITED, INTERRUPTED, USAGE, VERIFIED
from tests.support.hostile import Files, bundle_of, said_of, summed
from tests.support.signed_logs import LogKey, signed_log, write_zip

OLD = LogKey("old")
BUNDLE = bundle_of(signed_log(330, OLD))


def packed(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return path


def test_a_zip_that_unpacks_to_a_thousand_times_its_size_is_none(tmp_path: Path) -> None:
    """However many files it is spread over: none of these is too large by itself."""
    files = summed({**BUNDLE} | {f"schemas/{number}.json": bytes(50_000_000) for number in range(3)})
    status, said = said_of(packed(tmp_path / "bundle.zip", files))
    assert (status, "it unpacks to more than 100 times its size, as no bundle does" in said) == (EDITED, True), said
    status, said = said_of(packed(tmp_path / "bundle.zip", summed({**BUNDLE} | {"schemas/1.json": bytes(50_000_000)})))
    assert status == VERIFIED, said


def test_more_files_than_any_bundle_has_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "bundle.zip", BUNDLE)
    with zipfile.ZipFile(path) as bundle:
        bundle.extractall(tmp_path / "unpacked")
    monkeypatch.setattr(verifier, "MOST_FILES", len(BUNDLE))
    for one in (path, tmp_path / "unpacked"):
        assert said_of(one)[0] == VERIFIED
    monkeypatch.setattr(verifier, "MOST_FILES", len(BUNDLE) - 1)
    for one in (path, tmp_path / "unpacked"):
        status, said = said_of(one)
        told = f"it holds more than {len(BUNDLE) - 1} files, as no bundle does"
        assert (status, told in said) == (EDITED, True), said


def test_more_keys_than_any_log_has_are_none(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bundle.zip", BUNDLE)
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{OLD.vkey}\n" * 1_000)
    assert said_of(path, "--key", keys)[0] == VERIFIED
    keys.write_text(f"{OLD.vkey}\n" * 1_001)
    for option in ("--key", "--witness"):
        status, said = said_of(path, option, keys)
        assert (status, "more than 1,000 keys" in said) == (USAGE, True), said
    many = write_zip(tmp_path / "bundle.zip", summed({**BUNDLE} | {"keys.txt": keys.read_bytes()}))
    status, said = said_of(many)
    assert (status, "keys.txt: there are more than 1,000 keys" in said) == (EDITED, True), said


INTERRUPTING = """
import runpy, signal, sys, zipfile
zipfile.ZipFile = lambda *_, **__: signal.raise_signal(signal.SIGINT)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program whose person at the keyboard presses Ctrl-C as it opens a bundle."""


def test_whoever_interrupts_it_gets_a_sentence(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bundle.zip", BUNDLE)
    ran = subprocess.run(
        [sys.executable, "-I", "-c", INTERRUPTING, verifier.__file__, path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (INTERRUPTED, "Interrupted: nothing is said of this bundle.\n"), ran.stderr
    assert "Traceback" not in ran.stderr
