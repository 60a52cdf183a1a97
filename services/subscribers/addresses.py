"""Where a webhook may be sent: public addresses over https, and what the settings allow beside them.

A name is resolved once for each connection; every address of it must be allowed, and what is connected to is checked
once more as it is connected, so a name that resolves otherwise a moment later gains nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from yarl import URL

from events.refusals import BadInput

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LONGEST_URL = 2_000
DEFAULT_PORTS = {"https": 443, "http": 80}

_NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network, and unspecified
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, and clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "2001::/23",  # Teredo, ORCHID and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",
        ),
    )
)
"""IANA's registers of special addresses. Python's `is_global` says the same, and differs from release to release."""

_UNICAST = ip_network("2000::/3")
"""All that IANA has given out of IPv6: loopback, link-local, private, mapped and NAT64 addresses lie outside."""


_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
"""The last part of a host that a browser would read as an IPv4 address."""


class AddressRefused(OSError):
    """A name leads to an address that nothing may be sent to. An OSError, since it is raised while connecting."""

    def __init__(self) -> None:
        super().__init__("this address is not public")


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, as it stands: one inside another is not looked for."""
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.scope_id):
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


@dataclass(frozen=True, slots=True)
class Reachable:
    """What may be sent to. `networks` are allowed though they are not public, on every port."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({443})
    http: bool = False

    def refuse_address(self, text: str, port: int) -> None:
        """Raises AddressRefused for an address, as the system wrote it, that may not be connected to."""
        try:
            address = ip_address(text)
        except ValueError:
            raise AddressRefused from None
        if any(address in network for network in self.networks):
            return
        if not is_public(address) or port not in self._ports:
            raise AddressRefused

    @property
    def _ports(self) -> frozenset[int]:
        return self.ports | {DEFAULT_PORTS["http"]} if self.http else self.ports

    def read_url(self, text: str) -> str:
        """An URL that things may be sent to, in its one spelling; raises BadInput. Its name is not resolved here."""
        try:
            url = URL(text.strip())
            port = url.port
        except ValueError:
            raise _refused("an URL, as https://example.org/alerts", "correct it") from None
        if len(str(url)) > LONGEST_URL:
            raise _refused(f"at most {LONGEST_URL} characters", "shorten it")
        if url.scheme not in ("https", "http") or not url.raw_host or port is None:
            raise _refused("an URL, as https://example.org/alerts", "correct it")
        if url.scheme == "http" and not self.http:
            raise _refused("https", "serve it under https: what is sent must reach nobody else")
        if url.user is not None or url.password is not None:
            raise _refused("no user or password", "leave them out: requests are signed")
        if url.raw_fragment:
            raise _refused("no fragment", "leave out what follows #")
        if port not in self._ports and not self.networks:
            ports = ", ".join(map(str, sorted(self._ports)))
            raise _refused(f"one of these ports: {ports}", "serve it there")
        self._refuse_literal(url.raw_host, port)
        return str(url)

    def _refuse_literal(self, host: str, port: int) -> None:
        """An address instead of a name must be a plain one: forms like 2130706433 or 127.1 mean others to others."""
        if ":" not in host:
            if not _NAME.fullmatch(host):
                raise _refused("a host's name", "correct it")
            if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
                return
        try:
            self.refuse_address(host, port)
        except AddressRefused:
            raise _refused("a public address", "name a host that everybody can reach") from None


def _refused(expected: str, mend: str) -> BadInput:
    return BadInput.field("url", expected, mend)
