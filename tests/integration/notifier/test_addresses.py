"""Where a webhook really goes: a name is resolved once, each address is checked, and only that is connected to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services import clock
from services.ledger.ledger import Recorded
from services.notifier.notice import Notice
from services.notifier.sender import Answer, Sender
from services.subscribers.addresses import Reachable
from services.subscribers.filters import PublicEvent
from services.subscribers.secrets import Signer
from tests.support.authorities import server_certificate
from tests.support.ledgers import an_alert
from tests.support.receivers import a_receiver

ONLY_THIS = Reachable((ip_network("127.0.0.1/32"),), http=True)
NOT_ALLOWED = "its name leads to an address that nothing may be sent to"


def an_event() -> PublicEvent:
    submission = an_alert("bi:test:a")
    [append] = submission.appends
    [entry] = append.entries
    at = datetime(2026, 5, 20, tzinfo=UTC)
    return PublicEvent.of(
        Recorded(1, append.stream, 1, entry.event_id, entry.type, append.home, at, uuid4(), b"", entry.body)
    )


class Names:
    """Answers of a name server that changes its mind: one list of addresses for each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        self.asked += 1
        answer = self._answers[min(self.asked, len(self._answers)) - 1]
        families = {False: socket.AF_INET, True: socket.AF_INET6}
        return [(families[":" in one], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (one, port)) for one in answer]


async def send(url: str, reachable: Reachable, names: Names | None = None, authorities: Path | None = None) -> Answer:
    sender = Sender.open(reachable, connect_seconds=2, total_seconds=2, authorities=authorities, ask=names)
    try:
        return await sender.send(url, [Signer(b"0" * 32, None)], Notice([an_event()]))
    finally:
        await sender.close()


async def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def somebody_asks_again(*_: object, **__: object) -> None:
        raise AssertionError("the system was asked for a name that had been resolved")

    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with a_receiver() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", somebody_asks_again)
        url = receiver.url.replace("127.0.0.1", "hooks.example")
        answer = await send(url, ONLY_THIS, names)
        assert answer.delivered, answer
        assert names.asked == 1
        [came] = receiver.came
        assert came.headers["host"] == url.split("/")[2]
        # the same name leads elsewhere from now on, where nothing may be sent to
        names.asked = 1
        assert (await send(url, ONLY_THIS, names)).error == NOT_ALLOWED
    assert len(receiver.came) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.2"],
        ["8.8.8.8", "127.0.0.2"],
        ["127.0.0.1", "10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
    ],
)
async def test_a_name_with_one_address_that_is_not_allowed_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    connected: list[object] = []

    async def connect(_: object, __: socket.socket, address: object) -> None:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", connect)
    answer = await send("https://hooks.example/", Reachable((ip_network("127.0.0.1/32"),)), Names(addresses))
    assert answer.error == NOT_ALLOWED
    assert not connected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_sent_to_in_any_spelling(host: str) -> None:
    async with a_receiver() as receiver:
        url = receiver.url.replace("127.0.0.1", host)
        answer = await send(url, Reachable(http=True, ports=frozenset({int(url.split(":")[-1].split("/")[0])})))
    assert not answer.delivered
    assert not receiver.came


async def test_a_certificate_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    tls, authorities = server_certificate(tmp_path, "hooks.example", clock.now())
    seen: list[str | None] = []
    tls.sni_callback = lambda _, name, __: seen.append(name)
    async with a_receiver(tls=tls) as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example")
        assert (await send(url, ONLY_THIS, Names(["127.0.0.1"]), authorities)).delivered
        other = receiver.url.replace("127.0.0.1", "other.example")
        for refused in (
            await send(other, ONLY_THIS, Names(["127.0.0.1"]), authorities),
            await send(url, ONLY_THIS, Names(["127.0.0.1"])),
        ):
            assert refused.error == "its certificate or its TLS is not trusted"
    assert seen == ["hooks.example", "other.example", "hooks.example"]
    assert len(receiver.came) == 1


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_receiver() as receiver, a_receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert (await send(receiver.url, ONLY_THIS)).delivered
    assert not proxy.came


async def test_names_that_hang_keep_no_other_name_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    really, answered, hanging = socket.getaddrinfo, threading.Event(), []

    def getaddrinfo(host: str, port: int, **how: Any) -> Any:
        if host.startswith("hanging"):
            hanging.append(host)
            answered.wait()
        return really("127.0.0.1", port, **how)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    sender = Sender.open(ONLY_THIS, connect_seconds=0.3, total_seconds=0.3)
    quick = Sender.open(ONLY_THIS, connect_seconds=10, total_seconds=10, ask=sender.names)
    try:
        async with a_receiver() as receiver:

            async def to(name: str, by: Sender = sender) -> Answer:
                return await by.send(
                    receiver.url.replace("127.0.0.1", name), [Signer(b"0" * 32, None)], Notice([an_event()])
                )

            names = [f"hanging-{number}.example" for number in range(60)]
            for _ in range(2):
                late = await asyncio.gather(*map(to, names))
                assert {one.error for one in late} == {"it did not answer in time"}
            assert (await to("hooks.example", quick)).delivered
        # each of them has its thread, and the second try waited for the first one's answer
        assert sorted(hanging) == sorted(names)
    finally:
        answered.set()
        await sender.close()
        await quick.close()
