"""What the README prints is run as it is printed, in one shell, on the stack that a demonstration leaves up."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from services.contracts.publish import FOLDER
from services.local.ports import free_port
from services.settings import Settings, child_environment
from tests.conftest import server_folder
from tests.support.node import installed, node

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PART = README.partition("## A first consumer")[2].partition("## The map")[0]


def printed(language: str) -> list[str]:
    """The examples of the part about consumers, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PART, re.DOTALL)


ADDRESSES, STREAM, REPORT = printed("sh")
(CONSUMER,) = printed("python")


@pytest.fixture(scope="module")
def where_you_stand() -> Iterator[Path]:
    """A folder as a clone is after `make demo`: with .venv, and the stack of a demonstration in .intabaza-demo."""
    if shutil.which("curl") is None:
        pytest.fail("The README's examples need curl: install it (on Debian: apt install curl).", pytrace=False)
    folder = server_folder()
    (folder / ".venv").symlink_to(sys.prefix)
    environment = child_environment(Settings()) | {"INTABAZA_API_PORT": str(free_port())}
    demo = [sys.executable, "-m", "services.cli", "demo", "fortnight_2015"]
    try:
        played = subprocess.run(demo, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
        assert played.returncode == 0, played.stdout + played.stderr
        yield folder
    finally:
        down = "INTABAZA_DATA_FOLDER=.intabaza-demo .venv/bin/intabaza down"
        assert down in README.replace("\n", " ")
        ended = subprocess.run(["sh", "-c", down], cwd=folder, capture_output=True, text=True, timeout=120)
        shutil.rmtree(folder, ignore_errors=True)
        assert ended.returncode == 0, ended.stderr


def typed(where: Path, *lines: str) -> subprocess.Popen[str]:
    """A shell in which somebody typed these, in a session of its own so that it can be ended whole."""
    return subprocess.Popen(
        ["sh", "-c", "".join(lines)],
        cwd=where,
        env=child_environment(Settings()) | {"PYTHONUNBUFFERED": "1"},  # as at a terminal
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read_until(shell: subprocess.Popen[str], last: str) -> list[str]:
    """What it prints up to a line that begins so; then it is ended, as by Ctrl-C."""
    assert shell.stdout is not None
    lines = [line.rstrip("\n") for line in takewhile(lambda line: not line.startswith(last), shell.stdout)]
    os.killpg(shell.pid, 9)
    shell.communicate(timeout=60)
    return lines


def test_the_first_consumer_reads_every_alert_once(where_you_stand: Path) -> None:
    assert CONSUMER.count("\n") == 6
    (where_you_stand / "consumer.py").write_text(CONSUMER)
    lines = read_until(typed(where_you_stand, ADDRESSES, "python consumer.py\n"), "actual 2015-05-08 ")
    assert "actual 2015-04-26 Ntahangwa: 0 to 2" in lines
    assert len(lines) == len(set(lines)) > 3


def test_the_consumer_in_javascript_reads_the_same_alerts(where_you_stand: Path) -> None:
    program = installed(FOLDER / "consume") / "alerts.mjs"
    lines = read_until(typed(where_you_stand, ADDRESSES, f'"{node()}" "{program}" "$KAFKA"\n'), "2015-05-08 ")
    assert [line for line in lines if line.startswith("2015-04-26 Ntahangwa (bi:c2015:ntahangwa) raised: 0 calm to 2 ")]
    assert len(lines) == len(set(lines)) > 3


def test_the_stream_tells_the_same_alerts_over_http(where_you_stand: Path) -> None:
    assert STREAM.count("\n") == 1
    shell = typed(where_you_stand, ADDRESSES, STREAM)
    assert shell.stdout is not None
    told: list[Sequence[str]] = []
    for line in shell.stdout:
        if line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))["data"]
            told.append((data["on"], data["unit_name"]))
            if data["on"] == "2015-05-08":
                break
    os.killpg(shell.pid, 9)
    shell.communicate(timeout=60)
    assert ("2015-04-26", "Ntahangwa") in told
    assert len(told) > 3


def test_a_report_is_posted_and_a_second_time_not_written_again(where_you_stand: Path) -> None:
    answers = []
    for _ in range(2):
        shell = typed(where_you_stand, ADDRESSES, REPORT)
        said, errors = shell.communicate(timeout=120)
        assert shell.returncode == 0, errors
        answers.append(json.loads(said))
    first, second = answers
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert first["projected"] is True
    assert first["report_id"] == second["report_id"]
