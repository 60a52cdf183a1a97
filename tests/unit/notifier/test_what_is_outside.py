"""Whether a receiver is one of the internet's, or of our own house: what answers there says nothing of the way out."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from services.notifier.sender import CheckedResolver
from services.outgoing import AddressInfo
from services.subscribers.addresses import Reachable

HOUSE = Reachable((ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
NAMES = {
    "outside.example": ["1.1.1.1", "2606:4700::1111"],
    "inside.example": ["10.0.0.1"],
    "both.example": ["1.1.1.1", "10.0.0.1"],
}


async def ask(host: str, port: int) -> Sequence[AddressInfo]:
    families = {True: socket.AF_INET6, False: socket.AF_INET}
    return [(families[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in NAMES[host]]


@pytest.mark.parametrize(
    ("name", "outside"), [("outside.example", True), ("inside.example", False), ("both.example", False)]
)
async def test_a_name_is_outside_where_all_its_addresses_are(name: str, outside: bool) -> None:
    resolver = CheckedResolver(HOUSE, ask)
    assert not resolver.is_public(name)  # before it was resolved nothing is known
    await resolver.resolve(name, 443)
    assert resolver.is_public(name) == outside


@pytest.mark.parametrize(
    ("address", "outside"), [("1.1.1.1", True), ("2606:4700::1111", True), ("10.0.0.1", False), ("fd00::1", False)]
)
def test_an_address_is_what_it_is(address: str, outside: bool) -> None:
    assert CheckedResolver(HOUSE, ask).is_public(address) == outside


async def test_a_name_that_moved_into_the_house_is_no_longer_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = CheckedResolver(HOUSE, ask)
    await resolver.resolve("outside.example", 443)
    monkeypatch.setitem(NAMES, "outside.example", ["10.0.0.2"])
    await resolver.resolve("outside.example", 443)
    assert not resolver.is_public("outside.example")
