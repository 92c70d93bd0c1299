from __future__ import annotations

import ipaddress

import pytest

from notifier.endpoints import Endpoint, may_reach, parse_endpoint


def test_parts_of_an_endpoint() -> None:
    whole = Endpoint("push.example.net", 443, "/a/b?c=d", "push.example.net")
    assert whole == parse_endpoint("https://push.example.net/a/b?c=d")
    assert Endpoint("::1", 8443, "/", "[::1]:8443") == parse_endpoint("https://[::1]:8443")


@pytest.mark.parametrize(
    "text",
    [
        "http://push.example.net/a",
        "https:///a",
        "https://user:word@push.example.net/a",
        "https://push.example.net:99999/a",
        "https://push.exämple.net/a",
        'https://"push"/a',
    ],
)
def test_what_is_no_plain_https_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Python's own words for a port, ours for the rest
        parse_endpoint(text)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "fec0::1", "2002:c0a8:101::1"),
    ],
)
def test_nothing_goes_into_a_private_network_however_it_is_written(address: str) -> None:
    assert not may_reach(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4009::200a", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_reached(address: str) -> None:
    assert may_reach(address, ())


def test_engineer_may_allow_a_network() -> None:
    assert may_reach("127.0.0.1", [ipaddress.ip_network("127.0.0.0/8")])
    assert not may_reach("10.0.0.1", [ipaddress.ip_network("127.0.0.0/8")])
