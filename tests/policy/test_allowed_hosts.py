"""The allow-list of hosts: names, patterns and networks."""

from __future__ import annotations

import pytest

from gridsched.policy.allowed_hosts import allowed_hosts

PUBLIC = "93.184.215.14"
INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
]
LINK_LOCAL = ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255"]


@pytest.mark.parametrize("address", INNER)
def test_a_pattern_leads_to_public_addresses_only(address: str) -> None:
    hosts = allowed_hosts(["*"])
    assert not hosts.may_connect("shop.example", address)
    assert not hosts.may_name(address)


def test_public_addresses_are_allowed_by_a_pattern_that_matches() -> None:
    hosts = allowed_hosts(["*.shop.example", "SHOP.example."])
    for host in ("a.shop.example", "A.Shop.Example.", "shop.EXAMPLE"):
        assert hosts.may_name(host)
        assert hosts.may_connect(host, PUBLIC)
        assert hosts.may_connect(host, "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    for host in ("shop.example.evil", "other.example", PUBLIC):
        assert not hosts.may_name(host)
        assert not hosts.may_connect(host, PUBLIC)


def test_a_name_is_that_host_wherever_it_is_but_for_link_local() -> None:
    hosts = allowed_hosts(["stock.internal", "localhost"])
    for address in ("10.1.2.3", "127.0.0.1", "::1", "fd00::1", PUBLIC):
        assert hosts.may_connect("stock.internal", address)
        assert not hosts.may_connect("other.internal", address)
    for address in LINK_LOCAL:
        assert not hosts.may_connect("stock.internal", address)


def test_a_network_is_allowed_by_any_name() -> None:
    hosts = allowed_hosts(["10.1.0.0/16", "169.254.169.254", "::1"])
    for address in ("10.1.2.3", "169.254.169.254", "::1", "::ffff:10.1.2.3"):
        assert hosts.may_connect("any.example", address)
        assert hosts.may_name(address)
    for address in ("10.2.0.1", "169.254.169.253", "::2", PUBLIC, "shop.example", ""):
        assert not hosts.may_connect("any.example", address)


def test_nothing_is_allowed_without_an_entry() -> None:
    hosts = allowed_hosts([])
    assert not hosts.may_name("shop.example")
    assert not hosts.may_connect("shop.example", PUBLIC)


@pytest.mark.parametrize("entry", ["", " ", "http://shop.example", "shop.example:80", "a/b", "a@b"])
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        allowed_hosts([entry])
