"""The relay as a child of the stack: what is appended is on Kafka, and an operator sees how far and mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psutil
import pytest

from services import clock
from services.ledger.ledger import Recorded
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from tests.support.ledgers import note
from tests.support.stack import Stack, a_stack, wait_for
from tests.support.topics import read_topic


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack() as running:
        running.up()
        yield running


async def append(stack: Stack, count: int) -> list[Recorded]:
    """Append, wait until it is on Kafka, and return the ledger up to there."""
    ledger = await PostgresLedger.connect(stack.addresses.app_dsn, clock.now)
    published = Published(stack.addresses.app_dsn)
    try:
        for number in range(count):
            await ledger.append(note(home=f"bi:home:{number % 20}"))
        head = (await ledger.head()).position
        assert await published.wait_for(head, 60)
        return list(await ledger.read(0, head))
    finally:
        await published.close()
        await ledger.close()


def assert_on_kafka(stack: Stack, rows: Sequence[Recorded]) -> None:
    """All of these are there, byte for byte, and what an hour that ended meanwhile put behind them is no matter."""
    values = read_topic(stack.addresses.bootstrap, "events.v1").values
    last = rows[-1].position
    assert {at: value for at, value in values.items() if at <= last} == {row.position: row.wire() for row in rows}


def position_in(said: str, words: str) -> int:
    """The position that stands behind these words."""
    found = re.search(rf"{words} (\d+)", said)
    assert found is not None, said
    return int(found[1])


async def test_what_is_appended_is_on_kafka_also_after_the_relay_and_the_servers_were_killed(stack: Stack) -> None:
    await append(stack, 50)
    for name in ("relay", "kafka", "postgres"):
        before = stack.state["servers"][name]
        psutil.Process(stack.pid(name)).kill()
        wait_for(lambda name=name, before=before: stack.state["servers"][name] != before, 60)  # type: ignore[misc]
        rows = await append(stack, 50)
    assert_on_kafka(stack, rows)


async def test_an_operator_sees_how_the_relay_stands(stack: Stack) -> None:
    rows = await append(stack, 1)
    shown = stack.command("relay", "status")
    assert shown.returncode == 0, shown.stderr
    assert position_in(shown.stdout, "up to position") >= len(rows)
    assert "database session" in shown.stdout
    assert "open" in shown.stdout


async def test_an_operator_makes_the_topics_anew(stack: Stack) -> None:
    rows = await append(stack, 20)
    done = stack.command("relay", "republish", "--yes")
    assert done.returncode == 0, done.stderr
    assert position_in(done.stdout, "Everything up to position") >= len(rows)
    assert "is on Kafka again." in done.stdout
    assert "Sending everything again." in done.stderr
    assert_on_kafka(stack, rows)


def test_nothing_is_made_anew_by_accident(stack: Stack) -> None:
    refused = stack.command("relay", "republish")
    assert refused.returncode == 1
    assert "Delete events.v1 and alerts.v1 and send everything again?" in refused.stdout + refused.stderr


def test_prometheus_is_answered_on_loopback(stack: Stack) -> None:
    import urllib.request

    log = (stack.folder / "logs" / "relay.log").read_text()
    address = log.rpartition("http://127.0.0.1:")[2].split("/")[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{address}/metrics", timeout=10) as answer:
        said = answer.read().decode()
    for name in ("lag_events", "lag_seconds", "acknowledged_position", "foreign_records", "leader", "halted"):
        assert f"intabaza_relay_{name} " in said
    assert "intabaza_relay_restarts_total " in said
    assert "intabaza_relay_leader 1.0" in said
