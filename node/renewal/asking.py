"""Asks the enrolment service for a certificate: one HTTPS request, with nothing but the town's root believed."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from typing import Final

import msgspec

from runtime.tls import describe_fault
from wire.enrolment import Refusal
from wire.limits import NAME_CHARS_MAX
from wire.renewal_request import ANSWER_BYTES_MAX, PATH
from wire.text import display_text

WITHIN_S: Final = 20.0
_WORDS: Final = {
    "malformed": "does not believe that this unit asked: its signing key is not the one that the town knows",
    "unknown node": "does not know this unit: it has to be claimed",
    "struck": "says that this unit was struck off: call the fleet's engineer",
    "too old": "says that this unit was away for more than a year: it has to be claimed again",
    "slow down": "has given this unit several certificates today already",
    "closed": "cannot sign now",
}


class NotRenewedError(Exception):
    """No new certificate: one sentence without a full stop."""


class Service:
    """Where certificates come from.

    Args:
        host, port: its address.
        ca_file: PEM; the only root that is trusted.
    """

    def __init__(self, host: str, port: int, ca_file: Path) -> None:
        self._host = host
        self._port = port
        self._ca_file = ca_file

    def ask(self, request: bytes) -> bytes:
        """The answer to a sealed request: PEM, not looked at yet.

        Raises:
            NotRenewedError: no answer, or a refusal.
        """
        try:
            # Not the default one, which from Python 3.13 on takes an issuer in the file for a root.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_verify_locations(self._ca_file)
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=WITHIN_S, context=context)
            try:
                connection.request("POST", PATH, request, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read(ANSWER_BYTES_MAX + 1)
            finally:
                connection.close()
        except http.client.HTTPException as e:
            raise NotRenewedError(f"{self._name} sends no answer that can be read ({type(e).__name__})") from e
        except OSError as e:
            raise NotRenewedError(describe_fault(e, self._host, self._port, "enrolment service").detail) from e
        if len(body) > ANSWER_BYTES_MAX:
            raise NotRenewedError(f"{self._name} sends an answer that is too large")
        if answer.status != http.client.OK:
            raise NotRenewedError(self._refusal(answer.status, body))
        return body

    @property
    def _name(self) -> str:
        return f"the enrolment service at {self._host}:{self._port}"

    def _refusal(self, status: int, body: bytes) -> str:
        try:
            problem = msgspec.json.decode(body, type=Refusal).problem
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return f"{self._name} answers with status {status}"
        words = _WORDS.get(problem)
        return f"{self._name} {words}" if words else f"{self._name} refuses: {display_text(problem, NAME_CHARS_MAX)}"
