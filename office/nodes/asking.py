"""Puts a name to each request, and ends connections of whoever is nobody any more. All on the server's loop."""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

from cryptography import x509
from msgspec import json
from starlette.requests import Request
from starlette.responses import Response

from office.nodes.rules.allowance import Allowance
from office.nodes.rules.asking import Asker, Certificate
from office.nodes.who_is_who import WhoIsWho
from runtime.web_connections import Peer, peer_of
from wire.enrolment import Refusal


class Asking:
    """Who asks.

    Args:
        who: says who is who.
    """

    def __init__(self, who: WhoIsWho) -> None:
        self._who = who
        self._allowance = Allowance()
        self._peers: WeakKeyDictionary[Peer, Certificate] = WeakKeyDictionary()

    def ask(self, request: Request) -> Asker | Response:
        """Who asks, or what they are told instead of an answer."""
        found = self.look_again(request)
        if isinstance(found, Response):
            return found
        wait_s = self._allowance.wait_s(found.node, time.monotonic())
        return refuse(429, "slow down", int(wait_s) + 1) if wait_s > 0 else found

    def look_again(self, request: Request) -> Asker | Response:
        """The same of a request that was answered to before, and waits."""
        peer = asking_peer(request)
        certificate = self._peers.get(peer)
        if certificate is None:
            certificate = self._peers[peer] = _read(peer.certificate)
        found = self._who.judge(certificate)
        return refuse(403, found, closes=True) if isinstance(found, str) else found

    def close_refused(self) -> None:
        """End every connection whose certificate counts no longer, whatever is under way there."""
        for peer, certificate in list(self._peers.items()):
            if isinstance(self._who.judge(certificate), str):
                peer.close()


def asking_peer(request: Request) -> Peer:
    """By which connection a request came."""
    peer = peer_of(request.scope)
    assert peer is not None, "TLS asks for a certificate"
    return peer


def refuse(status: int, problem: str, retry_s: int = 0, *, closes: bool = False) -> Response:
    """What a node is told instead of an answer."""
    headers = {"connection": "close"} if closes else {}
    if retry_s:
        headers["retry-after"] = str(retry_s)
    body = json.encode(Refusal(problem=problem, retry_s=retry_s))
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _read(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        begins_s=int(certificate.not_valid_before_utc.timestamp()),
        ends_s=int(certificate.not_valid_after_utc.timestamp()),
    )
