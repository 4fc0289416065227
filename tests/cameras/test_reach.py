from __future__ import annotations

import socket
import ssl

import pytest

from service.cameras.reach import blamed, may_open


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "192.168.1.64", "172.16.0.9", "8.8.8.8", "fd00::5", "127.0.0.1", "::1"]
)
def test_cameras_live_in_private_networks_and_on_request_here(address: str) -> None:
    assert may_open(address, loopback=True)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1%eth0", "224.0.0.1", "ff02::1", "0.0.0.0", "0.1.2.3", "::", "::ffff:169.254.169.254",
     "::ffff:0:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a9fe:a9fe::1",
     "2001:0:a9fe:a9fe::1", "64:ff9b::6464:64c8", "fec0::1", "100.100.100.200", "fd00:ec2::254"],
)  # fmt: skip
def test_where_no_camera_is_nothing_is_opened(address: str) -> None:
    assert not may_open(address, loopback=True)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1"]
)
def test_this_machine_can_be_forbidden(address: str) -> None:
    assert not may_open(address, loopback=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError(), "STREAM_TIMEOUT"),
        (ConnectionRefusedError(111, "refused"), "STREAM_CONNECTION_FAILED"),
        (socket.gaierror(-2, "unknown"), "STREAM_CONNECTION_FAILED"),
        (ssl.SSLCertVerificationError(1, "self-signed"), "STREAM_CONNECTION_FAILED"),
        (ssl.SSLError(1, "wrong version"), "STREAM_CONNECTION_FAILED"),
        (OSError(), "STREAM_CONNECTION_FAILED"),
    ],
)
def test_every_error_of_the_network_has_a_code_and_a_sentence(error: OSError, code: str) -> None:
    fault = blamed(error).fault
    assert fault.code == code
    assert fault.detail.endswith(".")
