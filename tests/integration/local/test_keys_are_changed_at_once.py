"""Two processes that add keys to one file at once lose none: the second adds to what the first left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.api import rotation
from services.api.tokens import TokenIssuer, TokenKeysRefused
from services.notary.keys import LogKeys, LogKeysRefused
from services.settings import public_halves_of
from services.witness.folder import Folder

EACH = 15

OF_THE_LOG = """
from services.notary.keys import LogKeys
def add(file, number):
    with LogKeys.held(file) as held:
        held.add().write()
"""
OF_TOKENS = """
from services.api import rotation
def add(file, number):
    rotation.add(file)
"""
OF_OTHER_LOGS = """
from services.notary.keys import LogKey
from services.witness.folder import Folder
def add(file, number):
    Folder(file.parent).trust(LogKey.new().verifier("log.example"))
"""
BEGIN = """
import sys
from pathlib import Path
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    add(Path(sys.argv[1]), number)
"""


def by_two(program: str, file: Path) -> None:
    """Both have imported everything before either begins."""
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program + BEGIN, file, str(EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("begin\n")
        one.stdin.flush()
    for one in both:
        one.communicate()
        assert one.returncode == 0


def test_of_the_log(tmp_path: Path) -> None:
    file = tmp_path / "log-keys.json"
    by_two(OF_THE_LOG, file)
    keys = LogKeys.read(file)
    assert len(keys.keys) == 1 + 2 * EACH
    beside = LogKeys.read_public(public_halves_of(file))
    assert [one.public for one in beside.keys] == [one.public for one in keys.keys]


def test_of_tokens(tmp_path: Path) -> None:
    file = tmp_path / "token-keys.json"
    TokenIssuer.find_or_make(file)
    by_two(OF_TOKENS, file)
    assert len(rotation.keys_in_use(file)) == 1 + 2 * EACH


def test_of_logs_that_a_witness_watches(tmp_path: Path) -> None:
    Folder(tmp_path / "w").make("witness.example/w")
    by_two(OF_OTHER_LOGS, tmp_path / "w" / "logs.txt")
    assert len(Folder(tmp_path / "w").trusted()["log.example"]) == 2 * EACH


def test_keys_in_a_folder_that_is_not_there_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LogKeysRefused, match=r"cannot be written \(No such file or directory\)"):
        LogKeys.find_or_make(tmp_path / "none" / "log-keys.json")
    with pytest.raises(TokenKeysRefused, match=r"cannot be written \(No such file or directory\)"):
        rotation.retire(tmp_path / "none" / "token-keys.json", "kid")
