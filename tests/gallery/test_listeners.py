"""The page's ports: its own, those that systemd has opened for it, and what happens when one of them is taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gallery.config import PageTable
from gallery.listeners import HTTP, HTTPS, Listeners
from runtime.web_connections import Listener
from runtime.web_server import listen


@pytest.fixture
def handed() -> Iterator[dict[str, list[Listener]]]:
    opened = {HTTP: [listen("127.0.0.1", 0)], HTTPS: [listen("127.0.0.1", 0)]}
    yield opened
    for (one,) in opened.values():
        one.close()


def port_of(listener: Listener) -> int:
    port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with listen("127.0.0.1", 0) as other:
        yield port_of(other)


def test_unit_is_found_at_what_systemd_opened_and_its_own_screen_at_its_own_port(
    handed: dict[str, list[Listener]],
) -> None:
    listeners = Listeners(PageTable(port=0), handed)
    own, http = listeners.plain

    assert ("127.0.0.1", handed[HTTP]) == (own.getsockname()[0], [http])
    assert (port_of(http), port_of(handed[HTTPS][0])) == (listeners.fit_port, listeners.https_port)
    assert handed[HTTPS] == listeners.tls()
    assert [] == listeners.tls(), "served once"
    listeners.close()


def test_ports_of_a_file_from_before_stay_beside_those_of_systemd(handed: dict[str, list[Listener]]) -> None:
    with listen("127.0.0.1", 0) as free:
        tls_port = port_of(free)
    listeners = Listeners(PageTable(host="0.0.0.0", port=0, tls_port=tls_port), handed)
    own, _ = listeners.plain
    tls = listeners.tls()

    assert "0.0.0.0" == own.getsockname()[0]
    assert [port_of(handed[HTTPS][0]), tls_port] == [port_of(one) for one in tls]
    assert (port_of(handed[HTTP][0]), port_of(handed[HTTPS][0])) == (listeners.fit_port, listeners.https_port)
    tls[1].close()
    listeners.close()


def test_page_of_this_machine_alone_is_found_by_no_other() -> None:
    listeners = Listeners(PageTable(port=0), {})

    assert (None, None) == (listeners.fit_port, listeners.https_port)
    assert [] == listeners.tls()
    listeners.close()


def test_page_without_systemd_is_found_at_the_ports_of_its_file() -> None:
    listeners = Listeners(PageTable(host="0.0.0.0", port=0, tls_port=8446), {})

    assert (port_of(listeners.plain[0]), 8446) == (listeners.fit_port, listeners.https_port)
    listeners.close()


def test_tablet_is_not_fitted_where_another_program_has_the_port_of_the_page(handed: dict[str, list[Listener]]) -> None:
    listeners = Listeners(PageTable(port=0), {HTTP: handed[HTTP]})

    assert (None, None) == (listeners.fit_port, listeners.https_port)
    listeners.close()


def test_own_port_that_is_taken_leaves_those_of_systemd(
    handed: dict[str, list[Listener]], taken: int, caplog: pytest.LogCaptureFixture
) -> None:
    page = PageTable(port=0, tls_port=taken)
    listeners = Listeners(page, handed)

    assert handed[HTTPS] == listeners.tls()
    assert f"port {taken}: Address already in use" in caplog.text
    listeners.close()
    alone = Listeners(page, {})
    with pytest.raises(OSError, match="in use"):
        alone.tls()
    alone.close()
