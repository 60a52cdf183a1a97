"""What a person typed wrong, or a database that is away, is told in sentences and never with a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.named_files import FileUnusable, text_of
from services.settings import Settings, child_environment
from tests.support.levels import FIRST_RULES
from tests.support.signed_logs import LogKey

NOBODY = "postgresql://somebody@127.0.0.1:1/nowhere"


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = child_environment(Settings(data_folder=folder)) | {
        f"INTABAZA_{role}_DSN": NOBODY for role in ("POSTGRES", "APP", "VAULT", "PROJECTOR", "NOTIFIER", "NOTARY")
    }
    environment["INTABAZA_KAFKA_BOOTSTRAP"] = "127.0.0.1:1"
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *words], env=environment, capture_output=True, text=True, timeout=300
    )


def test_a_rule_set_with_faults_is_refused_by_line_before_anything_is_done(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(FIRST_RULES.replace("points = 40000", "points = -1"))
    answer = command(tmp_path, "begin", "--rules", str(rules), "--simulated-from", "2015-04-26")
    assert answer.returncode == 1
    assert "line 27, key kinds.violence.points: expected a whole number of at least 0" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("words", [("list",), ("resume", "case_board", "case/1")])
def test_parked_keys_of_a_database_that_is_away(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = command(tmp_path, "parked", *words)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("The database did not answer (ConnectionRefusedError): see `intabaza status`.")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--as-of", "yesterday"), 2, "'yesterday' is no moment: expected a position on the log, or an instant"),
        (("--as-of", "2015-05-13T12:00:00"), 2, "'2015-05-13T12:00:00' is no moment"),
        (
            ("--as-of", "7", "--export", "all.xlsx"),
            2,
            "expected a file whose name ends with .csv, .json or .parquet; rename it",
        ),
        (("coverage", "--as-of", "7", "--export", "all.csv"), 2, "a CSV file holds one projection; name one"),
        (("--as-of", "7", "--export", "nowhere/all.json"), 2, "there is no folder"),
        (("--export", "all.json"), 2, "expected with --as-of, which says what is exported; add it"),
        (("--processes", "-3"), 2, "Invalid value for '--processes'"),
    ],
)
def test_a_replay_of_what_cannot_be(tmp_path: Path, words: tuple[str, ...], status: int, said: str) -> None:
    answer = command(tmp_path, "replay", "case_board", *words)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("verify",), 1, "the database did not take it"),
        (("verify", "--kafka-only"), 1, "Kafka at 127.0.0.1:1 could not be read"),
        (("verify", "--key", "no key"), 2, "no key cannot be read"),
        (("verify", "--kept", "no file"), 2, "no file cannot be read"),
        (("bundle", "FOLDER/bundle.zip"), 1, "the database did not take it"),
        (("bundle", "FOLDER/bundle.zip", "--from", "kafka"), 1, "Kafka at 127.0.0.1:1 could not be read"),
        (("bundle", "FOLDER/bundle.zip", "--key", "no key"), 2, "no key cannot be read"),
        (("bundle", "FOLDER/bundle.zip", "--from", "nowhere"), 2, "Invalid value for '--from'"),
    ],
)
def test_what_the_audit_cannot_read(tmp_path: Path, words: tuple[str, ...], status: int, sentence: str) -> None:
    answer = command(tmp_path, "audit", *(word.replace("FOLDER", str(tmp_path)) for word in words))
    assert (answer.returncode, sentence in answer.stderr) == (status, True), answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "bundle.zip").exists()


def test_a_pack_takes_the_place_of_no_other(tmp_path: Path) -> None:
    taken = tmp_path / "pack.zip"
    taken.write_bytes(b"what two others approved")
    answer = command(tmp_path, "evidence", "7a9c4e21-0b63-8d18-a6f4-3c5d7e8f9a40", str(taken), "--person", "anna")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"{taken} is there already: name a file that is not, or put that one away.\n"
    assert taken.read_bytes() == b"what two others approved"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("faulty.toml",), 7, "line 27, key kinds.violence.points: expected a whole number of at least 0"),
        (("absent.toml",), 1, "absent.toml cannot be read (No such file or directory)."),
        (("rules.toml", "--as-of", "yesterday"), 2, "'yesterday' is no moment: expected a position on the log"),
        (("rules.toml", "--as-of", "2015-05-13T12:00:00"), 2, "is no moment: expected a position on the log"),
        (("rules.toml", "--html", "nowhere/page.html"), 6, "there is no folder nowhere; make it"),
        (("rules.toml", "--json", "."), 6, "it is a folder; name a file."),
        (("rules.toml",), 1, "nobody listens at 127.0.0.1:1"),
    ],
)
def test_what_if_says_what_it_cannot_compare_each_with_its_own_status(
    tmp_path: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    (tmp_path / "rules.toml").write_text(FIRST_RULES)
    (tmp_path / "faulty.toml").write_text(FIRST_RULES.replace("points = 40000", "points = -1"))
    named = (str(tmp_path / words[0]), *words[1:])
    answer = command(tmp_path, "what-if", *named)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("pipe", "it is no file: save what it says to one"),
        ("folder", "Is a directory"),
        ("/dev/zero", "it is no file: save what it says to one"),
        ("absent", "No such file or directory"),
        ("latin", "it is no text in UTF-8, from byte 5 on"),
        ("large", "it has more than 64,000,000 bytes"),
        ("n\0l", "embedded null byte"),
    ],
)
def test_a_file_that_is_none_is_told_and_not_waited_for(tmp_path: Path, what: str, said: str) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody ever writes into it
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes("la r\xe8gle".encode("latin-1"))
    with (tmp_path / "large").open("wb") as large:
        large.truncate(64_000_001)
    with pytest.raises(FileUnusable, match=re.escape(f"cannot be read ({said})")):
        text_of(tmp_path / what)


def test_a_pipe_as_a_rule_set_or_a_proof_ends_with_a_sentence(tmp_path: Path) -> None:
    pipe, event = tmp_path / "pipe", tmp_path / "event"
    os.mkfifo(pipe)
    event.write_text("{}")
    key = LogKey("one").vkey
    for status, words in (
        (1, ("what-if", str(pipe))),
        (1, ("begin", "--rules", str(pipe))),
        (2, ("audit", "check-proof", str(pipe), str(event), "--key", key)),
    ):
        answer = command(tmp_path, *words)
        assert (answer.returncode, answer.stdout) == (status, ""), answer.stderr
        assert str(pipe) in answer.stderr
        assert "it is no file" in answer.stderr or "is no file: save" in answer.stderr
