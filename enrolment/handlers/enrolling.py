"""``POST /enrol``: a new node spends its claim."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from msgspec import json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from enrolment.handlers.answering import answer_with
from enrolment.handlers.body import read_body
from enrolment.issuer import NodesIssuer, RequestError, public_key_bytes, read_request
from enrolment.publishing import Publishing
from enrolment.register import IssuedCertificate, Register, RegisterError
from enrolment.rules.claiming import Enrolled, Refused, is_awaited, judge, matching
from enrolment.rules.guessing import Guessing
from enrolment.town import WatchedFile
from runtime.logs import FactLog
from wire.claim_code import ClaimCodeError, claim_hash, read_claim_code
from wire.claims import OpenClaim, OpenClaims
from wire.enrolment import (
    GALLERY_PREFIX,
    REQUEST_BYTES_MAX,
    EnrolmentAnswer,
    EnrolmentError,
    EnrolmentRequest,
    Refusal,
    keys_digest,
    open_request,
)

logger = logging.getLogger(__name__)

CLOSED_RETRY_S: Final = 60
_STATUS: Final = {"malformed": 400, "slow down": 429, "closed": 503}
"""All others: 403."""
_OK: Final = 200
_TOLD: Final = {
    "used": "TWO UNITS FOR ONE IDENTITY: a unit at {address} brought the claim of node {node}, which has other keys"
    " already. One of the two cards is a copy: find both.",
    "taken": "TWO UNITS FOR ONE IDENTITY: a unit at {address} brought the new code of node {node}, which another unit"
    " has claimed with an earlier one: find both. If the first was the wrong one, revoke the node and add the premises"
    " again.",
    "replaced": "OLD CARD: a unit at {address} brought the code of node {node}, which was replaced or struck off. The"
    " unit needs a card for the premises' new node.",
}
"""Whose card it is, and what to do."""
_WRONG: Final = frozenset({400, 403})
"""What guessing looks like."""


class Enrolling:
    """The whole of a claim. Claims are spent one after the other, each in some milliseconds, and published together.

    Args:
        claims: the open ones.
        register: what was issued.
        publishing: the directory.
        issuer: signs for nodes.
        roots: PEM, the issuer's and whom nodes trust.
        broker: host and port, as nodes see it.
        facts: what happens is told here.
        now_s: Unix time.
    """

    def __init__(
        self,
        *,
        claims: WatchedFile[OpenClaims],
        register: Register,
        publishing: Publishing,
        issuer: NodesIssuer,
        roots: str,
        broker: tuple[str, int],
        facts: FactLog,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._claims = claims
        self._register = register
        self._publishing = publishing
        self._issuer = issuer
        self._roots = roots
        self._broker = broker
        self._facts = facts
        self._now_s = now_s
        self._guessing = Guessing()
        self._lock = threading.Lock()

    async def answer(self, request: Request) -> Response:
        """Starlette."""
        address = request.client.host if request.client is not None else ""
        wait_s = self._guessing.address_wait_s(address, time.monotonic())
        body = await read_body(request, 2 * REQUEST_BYTES_MAX)
        if wait_s > 0 and (body is None or not await run_in_threadpool(self._is_awaited, body)):
            return _refusal("slow down", int(wait_s) + 1)
        wait_s = self._guessing.total_wait_s(time.monotonic())
        if wait_s > 0:
            return _refusal("slow down", int(wait_s) + 1)
        response = _refusal("malformed") if body is None else await run_in_threadpool(self._settle, body, address)
        # On the loop's thread alone.
        if response.status_code == _OK:
            self._guessing.forget(address)
        elif response.status_code in _WRONG:
            self._note_failure(address)
        return response

    def _is_awaited(self, body: bytes) -> bool:
        try:
            asked = open_request(body)
            code_hash = claim_hash(read_claim_code(asked.claim))
            with self._lock:
                claim = matching(self._open_claims(), code_hash)
                spent = self._register.spent_by(code_hash)
        except (EnrolmentError, ClaimCodeError, RegisterError):
            return False
        now_s = int(self._now_s())
        return is_awaited(claim, spent, asked_node=asked.node, signing_key=asked.signing_key, now_s=now_s)

    def _settle(self, body: bytes, address: str) -> Response:
        try:
            asked = open_request(body)
            code_hash = claim_hash(read_claim_code(asked.claim))
            requests = read_request(asked.tls_request), read_request(asked.gallery_request)
        except (EnrolmentError, ClaimCodeError, RequestError) as e:
            logger.info("a request for enrolment from %s was refused: %s", address, e)
            return _refusal("malformed")
        try:
            with self._lock:
                found = self._claim(asked, code_hash, requests, address)
            if isinstance(found, Response):
                return found
            return self._answer(found, self._publishing.add(found))
        except (RegisterError, OSError) as e:
            logger.error("nobody can be enrolled: %s", e)  # noqa: TRY400 - the sentence says it all
            return _refusal("closed", CLOSED_RETRY_S)

    def _open_claims(self) -> tuple[OpenClaim, ...]:
        self._claims.look()
        return self._claims.contents.claims if self._claims.contents is not None else ()

    def _claim(
        self,
        asked: EnrolmentRequest,
        code_hash: str,
        requests: tuple[x509.CertificateSigningRequest, x509.CertificateSigningRequest],
        address: str,
    ) -> Enrolled | Response:
        now_s = int(self._now_s())
        self._publishing.look()
        claim = matching(self._open_claims(), code_hash)
        keys = keys_digest(*map(public_key_bytes, requests), asked.signing_key, asked.sealing_key)
        holder = self._register.holder_of(claim.node) if claim is not None else None
        found = judge(
            claim,
            keys=keys,
            asked_node=asked.node,
            spent=self._register.spent_by(code_hash),
            holder=holder,
            struck=self._publishing.struck(),
            now_s=now_s,
        )
        if isinstance(found, Refused):
            return self._refuse(found, address)
        closed = self._publishing.refusal()
        if closed is not None:
            logger.error("node %s cannot be enrolled: %s", found.node, closed)
            return _refusal("closed", CLOSED_RETRY_S)
        if isinstance(found, OpenClaim):
            new = self._spend(found, asked, (code_hash, keys), requests, now_s)
            if new is None:
                return self._refuse(Refused("used", found.node), address)
            self._facts.write("enrolled", node=new.node, premises=new.claim.premises, address=address)
            found = new
        else:
            self._facts.write("answered again", node=found.node, address=address)
        return found

    def _spend(
        self,
        claim: OpenClaim,
        asked: EnrolmentRequest,
        named: tuple[str, str],
        requests: tuple[x509.CertificateSigningRequest, x509.CertificateSigningRequest],
        now_s: int,
    ) -> Enrolled | None:
        now = datetime.fromtimestamp(now_s, UTC)
        names = claim.node, GALLERY_PREFIX + claim.node
        made = [self._issuer.sign(one, name, now) for one, name in zip(requests, names, strict=True)]
        chains = [self._issuer.chain_pem(one) for one in made]
        issued = tuple(
            IssuedCertificate(
                f"{one.serial_number:x}", claim.node, name, chain, int(one.not_valid_after_utc.timestamp())
            )
            for one, name, chain in zip(made, names, chains, strict=True)
        )
        enrolled = Enrolled(
            change=0,
            node=claim.node,
            claim_hash=named[0],
            keys=named[1],
            claim=claim,
            signing_key=asked.signing_key,
            sealing_key=asked.sealing_key,
            certificate=chains[0],
            gallery_certificate=chains[1],
            enrolled_at_s=now_s,
        )
        return self._register.spend(enrolled, issued)

    def _answer(self, enrolled: Enrolled, directory: bytes) -> Response:
        claim, (host, port) = enrolled.claim, self._broker
        answer = EnrolmentAnswer(
            node=enrolled.node,
            premises=claim.premises,
            place=claim.place,
            schemes=claim.schemes,
            profile=claim.profile,
            broker_host=host,
            broker_port=port,
            certificate=enrolled.certificate,
            gallery_certificate=enrolled.gallery_certificate,
            roots=self._roots,
            directory=b"",
        )
        return answer_with(answer, directory)

    def _refuse(self, refused: Refused, address: str) -> Response:
        self._facts.write("claim refused", problem=refused.problem, node=refused.node, address=address)
        told = _TOLD.get(refused.problem)
        if told is not None:
            logger.error("%s", told.format(address=address, node=refused.node))
        return _refusal(refused.problem)

    def _note_failure(self, address: str) -> None:
        count = self._guessing.note_failure(address, time.monotonic())
        if count:
            logger.error("CLAIMS ARE GUESSED: %d wrong ones lately, the last from %s", count, address)
            self._facts.write("claims guessed", count=count, address=address)


def _refusal(problem: str, retry_s: int = 0) -> Response:
    headers = {"retry-after": str(retry_s)} if retry_s else None
    data = json.encode(Refusal(problem=problem, retry_s=retry_s))
    return Response(data, status_code=_STATUS.get(problem, 403), media_type="application/json", headers=headers)
