from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from central.web.guard import Site, refuse
from runtime.loopback import is_loopback

ALONE = Site()
TOWN = Site(frozenset({"central.town.example", "192.168.1.4"}), is_tls=True)
OURS = {
    "host": "127.0.0.1:8080",
    "origin": "http://127.0.0.1:8080",
    "x-watchlink": "1",
    "sec-fetch-site": "same-origin",
}


def refused(method: str = "POST", path: str = "/actions", site: Site = ALONE, **changed: str | None) -> int | None:
    headers = {
        name: value
        for name, value in {**OURS, **{k.replace("_", "-"): v for k, v in changed.items()}}.items()
        if value is not None
    }
    verdict = refuse(method, path, Headers(headers), site)
    return None if verdict is None else verdict[0]


def test_own_page_may_act() -> None:
    assert refused() is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "192.168.1.4:8080", "", "[", "0.0.0.0"]
)
def test_other_host_is_refused_against_dns_rebinding(host: str) -> None:
    assert 421 == refused(host=host, origin=None)
    assert 421 == refused("GET", "/board.json", host=host, origin=None)


@pytest.mark.finding(16)
@pytest.mark.parametrize(
    "host", ["user@127.0.0.1:8080", "user:pass@localhost", "127.0.0.1/path", "127.0.0.1?x", "localhost#x"]
)
def test_host_with_more_than_a_name_and_a_port_is_refused(host: str) -> None:
    assert 421 == refused(host=host, origin=None)
    assert 421 == refused(host=host, origin=f"http://{host}")


@pytest.mark.finding(16)
@pytest.mark.parametrize("scheme", ["https", "ftp", "file", "chrome-extension", "javascript"])
def test_origin_of_a_foreign_scheme_may_not_act(scheme: str) -> None:
    assert 403 == refused(origin=f"{scheme}://127.0.0.1:8080")


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1", "127.8.0.1:1", "[::1]:8080"])
def test_loopback_host_is_answered(host: str) -> None:
    assert refused(host=host, origin=f"http://{host}") is None


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9000", "null", "http://["])
def test_other_origin_may_not_act(origin: str) -> None:
    assert 403 == refused(origin=origin)


def test_form_of_another_site_cannot_send_the_header() -> None:
    assert 403 == refused(x_watchlink=None)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_site_may_open_the_page_and_nothing_else(site: str) -> None:
    assert refused("GET", "/", sec_fetch_site=site, origin=None) is None
    assert 403 == refused("GET", "/feed", sec_fetch_site=site, origin=None)
    assert 403 == refused("GET", "/board.json", sec_fetch_site=site, origin=None)
    assert 403 == refused("POST", "/", sec_fetch_site=site, origin=None)


@pytest.mark.parametrize(
    "host", ["central.town.example", "central.town.example:8443", "192.168.1.4:8443", "CENTRAL.TOWN.EXAMPLE"]
)
def test_name_of_the_site_is_answered_by_https_alone(host: str) -> None:
    assert refused(site=TOWN, host=host, origin=f"https://{host}") is None
    assert 403 == refused(site=TOWN, host=host, origin=f"http://{host}")
    assert 421 == refused(host=host, origin=None)


@pytest.mark.parametrize("host", ["office.town.example", "192.168.1.5", "central.town.example.evil.example"])
def test_name_of_another_site_is_refused_under_tls_too(host: str) -> None:
    assert 421 == refused(site=TOWN, host=host, origin=None)


@pytest.mark.parametrize(
    ("is_tls", "port", "host", "expected"),
    [
        (False, 8080, "localhost:8080", None),
        (False, 8080, "localhost:9999", 421),
        (False, 8080, "localhost", 421),
        (False, 80, "localhost", None),
        (True, 443, "localhost", None),
        (True, 80, "localhost", 421),
    ],
)
def test_page_has_one_port(*, is_tls: bool, port: int, host: str, expected: int | None) -> None:
    """Passkeys are bound to a name; of pages of the same name only ours may use them."""
    site = Site(is_tls=is_tls, port=port)

    assert expected == refused(site=site, host=host, origin=site.origin(host))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_link_from_the_office_may_be_opened(site: str) -> None:
    assert refused("GET", "/enter", sec_fetch_site=site, origin=None, sec_fetch_mode="navigate") is None


@pytest.mark.parametrize(
    "changed",
    [{"sec_fetch_dest": "iframe"}, {"sec_fetch_mode": "no-cors"}, {"sec_purpose": "prefetch"}, {"purpose": "prefetch"}],
    ids=str,
)
def test_link_is_not_used_up_by_a_picture_a_frame_or_a_guess(changed: dict[str, Any]) -> None:
    assert 403 == refused("GET", "/enter", sec_fetch_site="same-site", origin=None, **changed)


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_link_is_opened_by_get_alone(method: str) -> None:
    assert 403 == refused(method, "/enter")


@pytest.mark.parametrize("path", ["/sign-in/code", "/sign-out", "/sign-out-everywhere"])
def test_form_says_that_it_comes_from_our_page(path: str) -> None:
    assert refused("POST", path, x_watchlink=None) is None
    assert 403 == refused("POST", path, x_watchlink=None, origin=None)
    assert 403 == refused("POST", path, x_watchlink=None, origin="null")
    assert 403 == refused("POST", path, x_watchlink=None, sec_fetch_site="same-site")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("central.example", False)],
)
def test_loopback_names(name: str, *, expected: bool) -> None:
    assert expected == is_loopback(name)
