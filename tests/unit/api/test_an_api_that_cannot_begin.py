"""An API that cannot begin says why in its last line, and ends as what has failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.settings import Settings, child_environment


def begin(folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """Where no server answers: nothing but what comes before them is tried."""
    nowhere = "postgresql://somebody:secret-7f3a@127.0.0.1:1/none"
    servers = {
        f"INTABAZA_{name}_DSN": nowhere for name in ("POSTGRES", "APP", "VAULT", "PROJECTOR", "NOTIFIER", "NOTARY")
    }
    environment = child_environment(Settings(data_folder=folder)) | servers
    environment |= {"INTABAZA_KAFKA_BOOTSTRAP": "127.0.0.1:1", "INTABAZA_VAULT_MASTER_KEY": "A" * 43} | extra
    command = [sys.executable, "-m", "services.api"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("content", ["", "{", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA", "kid": "1"}]}'])
def test_keys_of_tokens_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(content)
    ended = begin(tmp_path, INTABAZA_TOKEN_KEYS_FILE=str(keys))
    assert ended.returncode == 1
    assert f"The keys in {keys} " in ended.stderr.splitlines()[-1]


def test_a_database_that_is_away(tmp_path: Path) -> None:
    ended = begin(tmp_path)
    assert ended.returncode == 1
    assert "secret-7f3a" not in ended.stdout + ended.stderr
    assert ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("BOUNDARIES_FILE", '{"type": "Feature"}', "type: expected FeatureCollection"),
        ("CAP_SIGNING_KEY_FILE", "no key", "expected a private key on the curve P-256"),
        ("CAP_SENDER", None, "INTABAZA_CAP_SENDER: "),
        ("PUBLIC_URL", None, "INTABAZA_PUBLIC_URL: "),
    ],
)
def test_bulletins_that_could_not_be_made(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)
    ended = begin(tmp_path, **{f"INTABAZA_{name}": str(file) if content is not None else "a, b"})
    assert ended.returncode == 1
    assert said in ended.stderr.splitlines()[-1]
