"""Which hosts a node may send requests to.

An entry of the allow-list is one of three:

- a name (`stock.internal`): that host, wherever it is, but for link-local addresses and their like;
- a pattern (`*.example.com`, `*`): hosts of such names, at public addresses only;
- an address or a network (`10.1.2.3`, `10.1.0.0/16`, `::1`): whatever is there, by any name.

So a private, loopback or link-local address is never reached because a pattern, or a name in somebody
else's hands, happens to lead there.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, NamedTuple

Address = IPv4Address | IPv6Address

_TUNNELS: Final = tuple(map(ip_network, ("64:ff9b::/96", "2001::/32", "2002::/16")))
"""Addresses that lead to another one, written inside them: NAT64, Teredo, 6to4."""


class AllowedHosts(NamedTuple):
    """The entries of an allow-list, as written and by their kind."""

    entries: tuple[str, ...]
    names: frozenset[str]
    patterns: tuple[str, ...]
    networks: tuple[IPv4Network | IPv6Network, ...]

    def may_name(self, host: str) -> bool:
        """Whether some address of a host may be allowed; known before it is looked up."""
        if _address(host) is not None:
            return self.may_connect(host, host)
        return bool(self.networks) or self._matches(_plain(host))

    def may_connect(self, host: str, address: str) -> bool:
        """Whether a connection to `host` may go to `address`, which it was looked up as."""
        there = _address(address)
        if there is None:
            return False
        if any(there in network for network in self.networks):
            return True
        if _plain(host) in self.names and _address(host) is None:
            return not (
                there.is_link_local
                or there.is_multicast
                or there.is_unspecified
                or (there.is_reserved and not there.is_loopback)
            )
        return self._matches(_plain(host)) and _is_public(there)

    def _matches(self, host: str) -> bool:
        return host in self.names or any(fnmatchcase(host, each) for each in self.patterns)


def allowed_hosts(entries: Sequence[str]) -> AllowedHosts:
    """The allow-list of these entries; ValueError for one that is none of the three kinds."""
    names: set[str] = set()
    patterns: list[str] = []
    networks: list[IPv4Network | IPv6Network] = []
    for entry in entries:
        network = _network(entry)
        if network is not None:
            networks.append(network)
        elif not entry.strip() or any(mark in entry for mark in "/:@ "):
            raise ValueError(
                f"{entry!r} is no host: write a name (stock.internal), a pattern (*.example.com) or a "
                "network (10.1.0.0/16), without scheme, port or path"
            )
        elif any(mark in entry for mark in "*?["):
            patterns.append(entry.lower())
        else:
            names.add(_plain(entry))
    return AllowedHosts(tuple(entries), frozenset(names), tuple(patterns), tuple(networks))


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _TUNNELS)
    )
