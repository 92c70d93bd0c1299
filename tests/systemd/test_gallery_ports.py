"""What systemd opens for a unit's gallery."""

from __future__ import annotations

from gallery.listeners import HTTP, HTTPS
from tests.systemd.test_units import lines_of


def test_gallerys_ports_are_open_to_the_shop_alone_and_are_those_that_it_asks_for() -> None:
    """The system opens them, and judges what comes to them by their own unit."""
    name = "watchlink-gallery.service"

    assert ["watchlink-gallery-http.socket", "watchlink-gallery-https.socket"] == lines_of(name, "Sockets")
    for socket, port in zip(lines_of(name, "Sockets"), ("80", "443"), strict=True):
        assert [port] == lines_of(socket, "ListenStream")
        assert [name, [name]] == [*lines_of(socket, "Service"), lines_of(socket, "PartOf")]
        for key in ("IPAddressDeny", "IPAddressAllow"):
            assert lines_of(name, key) == lines_of(socket, key)
    assert [HTTP, HTTPS] == [
        one for socket in lines_of(name, "Sockets") for one in lines_of(socket, "FileDescriptorName")
    ]
