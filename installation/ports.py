"""Whether broker and pages answer where their configurations say."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
from typing import Any, Final

from cryptography import x509

from installation import places
from installation.findings import Finding, bad, good, look_at
from installation.machine import Machine
from runtime.tls import describe_fault

ANSWERS_WITHIN_S: Final = 10
_LISTENER: Final = re.compile(r"^listener (\d+) (\S+)$", re.MULTILINE)


def broker_answers(machine: Machine) -> Finding:
    """Asks for the certificate that the running broker shows, as a stranger, who gets no further."""
    listener = _LISTENER.search(machine.read(f"{places.BROKER}/mosquitto.conf").decode())
    if listener is None:
        return bad("broker", "mosquitto.conf names no listener", "Run 'watchlink central install' again.")
    port, host = int(listener[1]), _reachable(listener[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(machine.path(f"{places.BROKER}/ca.pem"))
        with (
            socket.create_connection((host, port), ANSWERS_WITHIN_S) as connection,
            context.wrap_socket(connection) as tls,
        ):
            shown = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
        own = x509.load_pem_x509_certificate(machine.read(f"{places.BROKER}/server.pem"))
    except (OSError, ValueError) as e:
        fault = describe_fault(e if isinstance(e, OSError) else None, host, port)
        return bad("broker", fault.detail, look_at("mosquitto"))
    if shown.serial_number != own.serial_number:
        return bad("broker", "it still shows an older certificate than server.pem", "Run 'systemctl reload mosquitto'.")
    return good("broker", f"answers at {host}:{port}")


def page_answers(what: str, configuration: dict[str, Any], port: int, unit: str) -> Finding:
    """Whether a page can be connected to. ``port`` is the one where the configuration names none."""
    web = configuration.get("web", {})
    host, port = _reachable(str(web.get("host", "127.0.0.1"))), int(web.get("port", port))
    try:
        with contextlib.closing(socket.create_connection((host, port), ANSWERS_WITHIN_S)):
            return good(what, f"answers at {host}:{port}")
    except OSError as e:
        fault = describe_fault(e, host, port, peer="page")
        return bad(what, fault.detail, look_at(unit))


def _reachable(bind: str) -> str:
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return bind
    if not address.is_unspecified:
        return bind
    return "::1" if address.version == 6 else "127.0.0.1"  # noqa: PLR2004 - IP's
