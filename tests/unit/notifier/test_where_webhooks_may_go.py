"""Which URLs a subscriber may name, and which addresses are connected to."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from events.refusals import BadInput
from services.subscribers.addresses import AddressRefused, Reachable

PUBLIC = Reachable()

NOT_PUBLIC = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "no address",
    "",
)

ON_THE_INTERNET = (
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    with pytest.raises(AddressRefused):
        PUBLIC.refuse_address(address, 443)


@pytest.mark.parametrize("address", ON_THE_INTERNET)
def test_a_public_address_is_connected_to_on_the_ports_of_the_settings(address: str) -> None:
    PUBLIC.refuse_address(address, 443)
    Reachable(ports=frozenset({443, 8_443})).refuse_address(address, 8_443)
    Reachable(http=True).refuse_address(address, 80)
    for port in (22, 80, 8_443):
        with pytest.raises(AddressRefused):
            PUBLIC.refuse_address(address, port)


def test_a_network_that_is_allowed_is_allowed_on_every_port_and_in_no_disguise() -> None:
    inside = Reachable((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    inside.refuse_address("10.1.2.3", 8_080)
    inside.refuse_address("fd00::1", 9_000)
    for address in ("10.2.0.1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::1", "127.0.0.1"):
        with pytest.raises(AddressRefused):
            inside.refuse_address(address, 443)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/alerts", "https://example.org/alerts"),
        (" https://EXAMPLE.org:443/a?b=c ", "https://example.org/a?b=c"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://4chan.example./", "https://4chan.example./"),
    ],
)
def test_an_url_is_kept_in_its_one_spelling(url: str, kept: str) -> None:
    assert PUBLIC.read_url(url) == kept


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://example.org/", "https"),
        ("ftp://example.org/", "an URL"),
        ("example.org", "an URL"),
        ("https:///nobody", "an URL"),
        ("https://example.org:99999/", "an URL"),
        ("", "an URL"),
        ("https://user@example.org/", "no user"),
        ("https://user:word@example.org/", "no user"),
        ("https://example.org/#part", "no fragment"),
        ("https://example.org:8080/", "one of these ports: 443"),
        ("https://example.org/" + "x" * 2_000, "at most"),
        ("https://a b.example/", "a host's name"),
        ("https://127.0.0.1/", "a public address"),
        ("https://[::1]/", "a public address"),
        ("https://[::ffff:127.0.0.1]/", "a public address"),
        ("https://[fe80::1%25eth0]/", "a public address"),
        ("https://2130706433/", "a public address"),
        ("https://0x7f000001/", "a public address"),
        ("https://0x7f.1/", "a public address"),
        ("https://127.1/", "a public address"),
        ("https://0177.0.0.1/", "a public address"),
        ("https://127.0.0.1./", "a public address"),
        ("https://①②⑦.0.0.1/", "a public address"),
        ("https://169.254.169.254/latest/meta-data", "a public address"),
        ("https://1.2.3.4.5/", "a public address"),
    ],
)
def test_an_url_that_cannot_be_is_refused_with_what_was_expected(url: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        PUBLIC.read_url(url)
    [problem] = refused.value.problems
    assert problem.field == "url"
    assert told in problem.expected


def test_settings_may_allow_http_and_ports_and_networks() -> None:
    assert Reachable(http=True).read_url("http://example.org/") == "http://example.org/"
    assert Reachable(ports=frozenset({443, 8_443})).read_url("https://example.org:8443/")
    assert Reachable((ip_network("10.0.0.0/8"),)).read_url("https://inside.example:9000/")
    assert Reachable((ip_network("10.0.0.0/8"),)).read_url("https://10.1.2.3:9000/")
