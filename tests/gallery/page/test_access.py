"""From the shop's own network, by the unit's own names, encrypted unless on the unit, and from no other site."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from gallery.page.access import Knock, refusal

NAMES = frozenset({"shop.watch.town.gov.uk"})


def status(
    path: str = "/",
    *,
    host: str = "192.168.1.20:8443",
    client: str = "192.168.1.50",
    server: str = "192.168.1.20",
    method: str = "GET",
    is_tls: bool = True,
    headers: dict[str, str] | None = None,
) -> int:
    """0 = it is not refused."""
    given = {"host": host} | (headers or {})
    found = refusal(Knock(method, path, is_tls, client, server, 8443, Headers(given)), NAMES)
    return 0 if found is None else found.status


@pytest.mark.parametrize("host", ["192.168.1.20:8443", "shop.watch.town.gov.uk:8443", "SHOP.watch.town.gov.uk.:8443"])
def test_units_own_names_are_answered(host: str) -> None:
    assert 0 == status(host=host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8443",
        "192.168.1.21:8443",
        "localhost:8443",
        "127.0.0.1:8443",
        "192.168.1.20",
        "192.168.1.20:443",
        "192.168.1.20:8443/x",
        "a@192.168.1.20:8443",
        "",
    ],
)
def test_by_another_name_nothing_is_answered(host: str) -> None:
    """A page of somebody else's, whose name has been made to lead here, cannot read this one."""
    assert 421 == status(host=host)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("10.1.2.3", 0),
        ("172.31.0.1", 0),
        ("169.254.3.4", 0),
        ("fe80::1%eth0", 0),
        ("fd12::1", 0),
        ("::ffff:192.168.1.9", 0),
        ("8.8.8.8", 403),
        ("172.32.0.1", 403),
        ("2001:db8::1", 403),
        ("100.64.0.1", 403),
        ("::ffff:8.8.8.8", 403),
        ("", 403),
    ],
)
def test_only_the_shops_own_network_is_answered(client: str, expected: int) -> None:
    assert expected == status(client=client)
    assert expected == status("/fit", client=client)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/people/1/17", "/stream", "/fit/../", "/fitx", "/static/../x"])
def test_off_the_unit_nothing_goes_without_encryption(path: str) -> None:
    assert 403 == status(path, is_tls=False)


@pytest.mark.parametrize("path", ["/fit", "/fit/ca.crt", "/static/css/page.css"])
def test_how_a_tablet_is_fitted_can_be_read_without_encryption(path: str) -> None:
    assert 0 == status(path, is_tls=False)


@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:8443"])
def test_screen_on_the_unit_needs_no_encryption(host: str) -> None:
    assert 0 == status(host=host, client="127.0.0.1", server="127.0.0.1", is_tls=False)


def test_who_comes_in_by_the_network_is_no_screen_on_the_unit() -> None:
    assert 421 == status(host="127.0.0.1:8443", client="127.0.0.1", is_tls=False)


OURS = "https://192.168.1.20:8443"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": OURS, "x-watchlink": "1"}, 0),
        ({"x-watchlink": "1"}, 403),
        ({"origin": OURS}, 403),
        ({"origin": "https://evil.example", "x-watchlink": "1"}, 403),
        ({"origin": "http://192.168.1.20:8443", "x-watchlink": "1"}, 403),
        ({"origin": "null", "x-watchlink": "1"}, 403),
        ({"origin": OURS, "x-watchlink": "1", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_only_our_own_page_does_anything(headers: dict[str, str], expected: int) -> None:
    assert expected == status("/sign-in", method="POST", headers=headers)


def test_another_site_reads_nothing_but_may_lead_here() -> None:
    assert 403 == status(headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"})
    assert 0 == status(headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
