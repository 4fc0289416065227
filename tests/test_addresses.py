from __future__ import annotations

import pytest

from service.addresses import Reach, reach, reach_of_host

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.1.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:42::42",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::6464:64c8",
    "2002:a9fe:a9fe::1",
]
LAN = [
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.20",
    "100.64.0.1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:10.0.0.5",
    "64:ff9b::a00:5",
]
HERE = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", NEVER)
def test_is_nowhere_that_may_be_opened(address: str) -> None:
    assert reach(address) == "never"


@pytest.mark.parametrize("address", LAN)
def test_is_in_a_private_network(address: str) -> None:
    assert reach(address) == "lan"


@pytest.mark.parametrize("address", HERE)
def test_is_this_machine(address: str) -> None:
    assert reach(address) == "here"


@pytest.mark.parametrize("address", PUBLIC)
def test_is_public(address: str) -> None:
    assert reach(address) == "public"


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        reach("localhost")


@pytest.mark.parametrize(
    ("host", "where"),
    [
        ("localhost", "here"), ("LOCALHOST.", "here"), ("127.0.0.1", "here"), ("[::1]", "here"), ("10.0.0.5", "lan"),
        ("[64:ff9b::a9fe:a9fe]", "never"), ("8.8.8.8", "public"), ("example.org", None), ("", None),
    ],
)  # fmt: skip
def test_the_host_of_a_url_is_placed_where_no_look_up_is_needed(host: str, where: Reach | None) -> None:
    assert reach_of_host(host) == where
