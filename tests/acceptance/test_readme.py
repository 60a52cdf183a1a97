"""What the README prints is run as it is printed, in one shell, on the stack that a demonstration leaves up."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from services.contracts.publish import FOLDER
from services.local.addresses import find_addresses
from services.local.ports import free_port
from services.local.topics import ALERTS
from services.settings import Settings, child_environment
from tests.conftest import server_folder
from tests.support.node import installed, node
from tests.support.topics import read_topic

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PART = README.partition("## A first consumer")[2].partition("## The map")[0]


def printed(language: str) -> list[str]:
    """The examples of the part about consumers, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PART, re.DOTALL)


ADDRESSES, STREAM, REPORT = printed("sh")
(CONSUMER,) = printed("python")


@dataclass(frozen=True)
class Left:
    """What a demonstration leaves: the folder where it was started, and what it told strangers."""

    folder: Path
    alerts: Sequence[Mapping[str, Any]]


@pytest.fixture(scope="module")
def left() -> Iterator[Left]:
    """A folder as a clone is after `make demo`: with .venv, and the stack of a demonstration in .intabaza-demo."""
    if shutil.which("curl") is None:
        pytest.fail("The README's examples need curl: install it (on Debian: apt install curl).", pytrace=False)
    folder = server_folder()
    (folder / ".venv").symlink_to(sys.prefix)
    environment = child_environment(Settings()) | {"INTABAZA_API_PORT": str(free_port())}
    demo = [sys.executable, "-m", "services.cli", "demo", "fortnight_2015"]
    try:
        played = subprocess.run(demo, cwd=folder, env=environment, capture_output=True, text=True, timeout=800)
        assert played.returncode == 0, played.stdout + played.stderr
        bootstrap = find_addresses(Settings(data_folder=folder / ".intabaza-demo")).bootstrap
        alerts = [json.loads(value)["data"] for value in read_topic(bootstrap, ALERTS).values.values()]
        assert len(alerts) > 3
        yield Left(folder, alerts)
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


def read_lines(shell: subprocess.Popen[str], count: int, begin: str = "") -> list[str]:
    """The first lines that begin so; then it is ended, as by Ctrl-C."""
    assert shell.stdout is not None
    lines = list(islice((line.rstrip("\n") for line in shell.stdout if line.startswith(begin)), count))
    os.killpg(shell.pid, signal.SIGKILL)
    _, errors = shell.communicate(timeout=60)
    assert len(lines) == count, errors
    return lines


def test_the_first_consumer_reads_every_alert_once(left: Left) -> None:
    assert CONSUMER.count("\n") == 6
    (left.folder / "consumer.py").write_text(CONSUMER)
    lines = read_lines(typed(left.folder, ADDRESSES, "python consumer.py\n"), len(left.alerts))
    assert sorted(lines) == sorted(
        f"actual {alert['on']} {alert['unit_name']}: {alert['from']} to {alert['to']}" for alert in left.alerts
    )


def test_the_consumer_in_javascript_reads_every_alert_once(left: Left) -> None:
    program = installed(FOLDER / "consume") / "alerts.mjs"
    lines = read_lines(typed(left.folder, ADDRESSES, f'"{node()}" "{program}" "$KAFKA"\n'), len(left.alerts))
    assert sorted(line.partition(" (")[0] for line in lines) == sorted(
        f"{alert['on']} {alert['unit_name']}" for alert in left.alerts
    )


def test_the_stream_tells_the_same_alerts_over_http_in_order(left: Left) -> None:
    assert STREAM.count("\n") == 1
    lines = read_lines(typed(left.folder, ADDRESSES, STREAM), len(left.alerts), "data: ")
    told = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [event["sequence"] for event in told] == sorted(event["sequence"] for event in told)
    assert sorted(json.dumps(event["data"]) for event in told) == sorted(map(json.dumps, left.alerts))


def test_a_report_is_posted_and_a_second_time_not_written_again(left: Left) -> None:
    answers = []
    for _ in range(2):
        shell = typed(left.folder, ADDRESSES, REPORT)
        said, errors = shell.communicate(timeout=120)
        assert shell.returncode == 0, errors
        answers.append(json.loads(said))
    first, second = answers
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert first["projected"] is True
    assert first["report_id"] == second["report_id"]
