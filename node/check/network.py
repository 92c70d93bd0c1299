"""The way to the broker: name, connection, TLS with our certificate, an answer in MQTT. It opens no session.

A CONNECT with our certificate would take the running node's session from it, whatever client id it gave. So the check
asks for a version of MQTT that does not exist: a broker refuses that before it looks for a session (MQTT 5, section
3.1.2.2; MQTT 3.1.1, the same), and an answer proves TLS, certificate and broker. Whether our messages are
taken, the running node says itself: *connected* means that every subscription was granted.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from pathlib import Path
from typing import Final

from node.check.configuration import Identity
from node.check.unit import Unit
from node.core.controls import Part
from node.step import Outcome, Step, bad, not_done, ok
from runtime.config import ConfigError
from runtime.mqtt_link import LinkSettings
from runtime.tls import client_context, describe_fault

_WITHIN_S: Final = 5.0
_NO_SUCH_VERSION: Final = b"\x10\x0c\x00\x04MQTT\x63\x02\x00\x1e\x00\x00"
"""CONNECT, protocol level 99, clean, keep alive 30 s, no client id."""
_CONNACK: Final = 0x20


def network_steps(identity: Identity, unit: Unit) -> list[Step]:
    """Name, then broker; what needs a failed step is left out."""
    if identity.file is None:
        return [not_done("network", "not looked at: the configuration must be right first")]
    link = identity.file.mqtt.resolved(identity.folder)
    try:
        found = socket.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
    except OSError as e:
        advice = "is the router on and its cable in? ip address; cat /etc/resolv.conf; is mqtt.host spelt right?"
        return [bad("name", f"{link.host} is not found: {e.strerror}", advice)]
    addresses = sorted({str(entry[4][0]) for entry in found})
    is_address = addresses == [link.host]
    steps = [ok("name", f"{link.host}: an address" if is_address else f"{link.host} is {', '.join(addresses)}")]
    blocked = [address for address in addresses if unit.blocks(address)]
    if blocked:
        advice = "watchlink node install: it allows what node.toml names"
        steps.append(bad("unit's door", f"the unit lets nothing out to {', '.join(blocked)}", advice))
    steps.append(_broker(link))
    if unit.faults is not None and Part.NETWORK in unit.faults:
        said = unit.status.partition("; ")[2] or "it does not say why"
        advice = (
            "if the broker above is all right: was this unit struck off, or does the broker not know it yet (runbook)?"
        )
        steps.append(bad("link", f"the running node has no link: {said}", advice))
    elif unit.faults is not None:
        steps.append(ok("link", f"the running node is {unit.status.partition('; ')[2]}"))
    return steps


def _broker(link: LinkSettings) -> Step:
    errors: list[OSError] = []
    try:
        context = client_context(Path(link.ca_file), Path(link.certificate_file), Path(link.key_file), errors.append)
    except ConfigError as e:
        if isinstance(e.__cause__, PermissionError):
            return Step("broker", Outcome.UNSEEN, str(e), "run it as root: sudo watchlink node check …")
        return not_done("broker", "not tried: the certificate must be right first")
    try:
        with (
            socket.create_connection((link.host, link.port), timeout=_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=link.host) as secured,
        ):
            answer = _ask(secured)
    except OSError as e:
        fault = describe_fault(errors[0] if errors else e, link.host, link.port)
        return bad("broker", fault.detail, _advice(fault.is_permanent))
    if answer[:1] not in {bytes([_CONNACK]), b""}:
        return bad("broker", f"what answers at {link.host}:{link.port} does not speak MQTT", "is mqtt.port right?")
    return ok("broker", f"{link.host}:{link.port} takes our certificate, and we its own (TLS 1.3)")


def _ask(secured: ssl.SSLSocket) -> bytes:
    """The first byte of the answer; empty = it hung up, which a broker may do on such a question."""
    # With TLS 1.3 a refusal comes after our handshake. If the broker hung up with bytes of ours unread, its reset
    # would overtake the alert: hear it first.
    heard = select.poll()
    heard.register(secured, select.POLLIN)
    heard.poll(_WITHIN_S * 1000)
    secured.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):  # session tickets only
        secured.recv(1)
    secured.settimeout(_WITHIN_S)
    secured.sendall(_NO_SUCH_VERSION)
    end_s = time.monotonic() + _WITHIN_S
    while time.monotonic() < end_s:
        with contextlib.suppress(ssl.SSLWantReadError):
            return secured.recv(1)
    raise TimeoutError


def _advice(is_permanent: bool) -> str:  # noqa: FBT001 - one caller
    if is_permanent:
        return "ask the fleet's engineer, and read this line out: trying again will not help"
    return "is the router on, its cable in, and does the port get through? ip route; ping of the router; then ask"
