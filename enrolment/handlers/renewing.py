"""``POST /.well-known/est/simplereenroll``: a node gets its next certificate, or its gallery's (ADR 0031)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography import x509
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from enrolment.issuer import NodesIssuer, RequestError, public_key_bytes, read_request
from enrolment.publishing import Publishing
from enrolment.register import IssuedCertificate, Register, RegisterError
from enrolment.rules.renewing import Made, judge
from runtime.logs import FactLog
from runtime.slowing import Slowing
from runtime.web_body import read_body
from wire.enrolment import GALLERY_PREFIX, Refusal
from wire.errors import DecodeError
from wire.renewal_request import REQUEST_BYTES_MAX, RenewalRequest, open_renewal
from wire.signing import PublicKey

logger = logging.getLogger(__name__)

RETRY_S: Final = 3_600
_STATUS: Final = {"malformed": 400, "slow down": 429, "closed": 503}
"""All others: 403."""


class _UnknownNodeError(Exception):
    """Neither the authority nor the register knows it."""


class Renewing:
    """All renewals, settled one after the other; each takes some milliseconds.

    The delegation may have ended meanwhile: nothing is added to the directory.

    Args:
        register: what was issued.
        publishing: the directory.
        issuer: signs for nodes.
        facts: what happens is told here.
        now_s: Unix time.
    """

    def __init__(
        self,
        *,
        register: Register,
        publishing: Publishing,
        issuer: NodesIssuer,
        facts: FactLog,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._register = register
        self._publishing = publishing
        self._issuer = issuer
        self._facts = facts
        self._now_s = now_s
        self._slowing = Slowing()
        self._lock = threading.Lock()

    async def answer(self, request: Request) -> Response:
        """Starlette."""
        address = request.client.host if request.client is not None else ""
        body = await read_body(request, REQUEST_BYTES_MAX)
        return await run_in_threadpool(self._settle, body or b"", address)

    def _settle(self, body: bytes, address: str) -> Response:
        with self._lock:
            wait_s = self._slowing.wait_s(address, time.monotonic())
            try:
                self._publishing.look()
                asked = open_renewal(body, self._key_of)
                csr = read_request(asked.csr)
            except (_UnknownNodeError, DecodeError, RequestError) as e:
                # A node of ours, by its signature, does not wait for what strangers behind the same router do.
                if wait_s > 0:
                    return _refusal("slow down", int(wait_s) + 1)
                if isinstance(e, _UnknownNodeError):
                    return self._refuse("unknown node", "", address)
                logger.info("a request for renewal from %s was refused: %s", address, e)
                return self._refuse("malformed", "", address)
            except (RegisterError, OSError) as e:
                return self._closed(e)
            try:
                return self._renew(asked, csr, address)
            except (RegisterError, OSError) as e:
                return self._closed(e)

    def _renew(self, asked: RenewalRequest, csr: x509.CertificateSigningRequest, address: str) -> Response:
        now = datetime.fromtimestamp(int(self._now_s()), UTC)
        name = f"{GALLERY_PREFIX}{asked.node}" if asked.is_for_gallery else asked.node
        made = [
            _made(one, public_key_bytes(csr))
            for one in self._register.certificates_of(asked.node)
            if one.common_name == name
        ]
        sender = self._publishing.sender(asked.node)
        found = judge(is_known=True, is_struck=sender is not None and sender.is_revoked, made=made, now=now)
        if isinstance(found, str):
            return self._refuse(found, asked.node, address)
        if found is not None:
            self._facts.write("renewal answered again", node=asked.node, name=name)
            return Response(found.pem, media_type="application/x-pem-file")
        fault = self._publishing.clock_fault()
        if fault is not None:
            return self._closed(fault)
        certificate = self._issuer.sign(csr, name, now)
        pem = self._issuer.chain_pem(certificate)
        ends_at_s = int(certificate.not_valid_after_utc.timestamp())
        # Before it is given out: what may have to be revoked is on record.
        self._register.remember(IssuedCertificate(f"{certificate.serial_number:x}", asked.node, name, pem, ends_at_s))
        self._facts.write("renewed", node=asked.node, name=name)
        return Response(pem, media_type="application/x-pem-file")

    def _key_of(self, node: str) -> PublicKey:
        """The signing key that counts: the authority's word before what was enrolled here."""
        sender = self._publishing.sender(node)
        if sender is not None and not sender.is_central:
            return sender.key
        enrolled = self._register.holder_of(node)
        if sender is not None or enrolled is None:
            raise _UnknownNodeError
        return PublicKey(enrolled.signing_key)

    def _refuse(self, problem: str, node: str, address: str) -> Response:
        if not node:  # Whoever it is, it is no node that we know: those are not slowed for a neighbour's fault.
            self._slowing.note_failure(address, time.monotonic())
        self._facts.write("renewal refused", problem=problem, node=node, address=address)
        return _refusal(problem, RETRY_S if problem == "slow down" else 0)

    def _closed(self, error: object) -> Response:
        logger.error("no certificate can be renewed: %s", error)
        return _refusal("closed", RETRY_S)


def _made(issued: IssuedCertificate, key: bytes) -> Made:
    certificate = x509.load_pem_x509_certificates(issued.pem.encode())[0]
    return Made(certificate.not_valid_after_utc, public_key_bytes(certificate) == key, issued.pem)


def _refusal(problem: str, retry_s: int = 0) -> Response:
    headers = {"retry-after": str(retry_s)} if retry_s else None
    data = msgspec.json.encode(Refusal(problem=problem, retry_s=retry_s))
    return Response(data, status_code=_STATUS.get(problem, 403), media_type="application/json", headers=headers)
