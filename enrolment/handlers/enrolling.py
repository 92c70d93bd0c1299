"""``POST /enrol``: a new node spends its claim."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from msgspec import json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from enrolment.handlers.answering import answer_with
from enrolment.issuer import NodesIssuer, RequestError, public_key_bytes, read_request
from enrolment.publishing import Publishing
from enrolment.register import IssuedCertificate, Register, RegisterError
from enrolment.rules.claiming import Enrolled, Refused, is_awaited, judge, matching
from enrolment.rules.guessing import Guessing
from runtime.logs import FactLog
from runtime.watched_file import WatchedFile
from runtime.web_body import read_body
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


class _Asked(NamedTuple):
    """A request that is well formed, and signed by its own keys."""

    request: EnrolmentRequest
    code_hash: str
    csrs: tuple[x509.CertificateSigningRequest, x509.CertificateSigningRequest]


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
        body = await read_body(request, 2 * REQUEST_BYTES_MAX)
        asked = None if body is None else await run_in_threadpool(_asked, body, address)
        wait_s = self._guessing.address_wait_s(address, time.monotonic())
        if wait_s > 0 and asked is not None and await run_in_threadpool(self._is_awaited, asked):
            wait_s = 0.0
        if asked is not None:
            wait_s = max(wait_s, self._guessing.repeat_wait_s(asked.request.signing_key, time.monotonic()))
        wait_s = wait_s or self._guessing.total_wait_s(time.monotonic())
        if wait_s > 0:
            return _refusal("slow down", int(wait_s) + 1)
        response = _refusal("malformed") if asked is None else await run_in_threadpool(self._settle, asked, address)
        # On the loop's thread alone.
        if asked is not None and response.status_code == _OK:
            self._guessing.note_answered(asked.request.signing_key, address, time.monotonic())
        elif response.status_code in _WRONG:
            self._note_failure(address)
        return response

    def _is_awaited(self, asked: _Asked) -> bool:
        try:
            with self._lock:
                claim = matching(self._open_claims(), asked.code_hash)
                spent, struck = self._register.spent_by(asked.code_hash), self._publishing.struck()
        except RegisterError:
            return False
        return is_awaited(
            claim,
            spent,
            asked_node=asked.request.node,
            signing_key=asked.request.signing_key,
            struck=struck,
            now_s=int(self._now_s()),
        )

    def _settle(self, asked: _Asked, address: str) -> Response:
        try:
            with self._lock:
                found = self._claim(asked, address)
            if isinstance(found, Response):
                return found
            return self._answer(found, self._publishing.add(found))
        except (RegisterError, OSError) as e:
            logger.error("nobody can be enrolled: %s", e)  # noqa: TRY400 - the sentence says it all
            return _refusal("closed", CLOSED_RETRY_S)

    def _open_claims(self) -> tuple[OpenClaim, ...]:
        self._claims.look()
        return self._claims.contents.claims if self._claims.contents is not None else ()

    def _claim(self, asked: _Asked, address: str) -> Enrolled | Response:
        now_s = int(self._now_s())
        self._publishing.look()
        claim = matching(self._open_claims(), asked.code_hash)
        request = asked.request
        keys = keys_digest(*map(public_key_bytes, asked.csrs), request.signing_key, request.sealing_key)
        holder = self._register.holder_of(claim.node) if claim is not None else None
        found = judge(
            claim,
            keys=keys,
            asked_node=request.node,
            spent=self._register.spent_by(asked.code_hash),
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
            new = self._spend(found, asked, keys, now_s)
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
        asked: _Asked,
        keys: str,
        now_s: int,
    ) -> Enrolled | None:
        now = datetime.fromtimestamp(now_s, UTC)
        names = claim.node, GALLERY_PREFIX + claim.node
        made = [self._issuer.sign(one, name, now) for one, name in zip(asked.csrs, names, strict=True)]
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
            claim_hash=asked.code_hash,
            keys=keys,
            claim=claim,
            signing_key=asked.request.signing_key,
            sealing_key=asked.request.sealing_key,
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


def _asked(body: bytes, address: str) -> _Asked | None:
    try:
        request = open_request(body)
        code_hash = claim_hash(read_claim_code(request.claim))
        return _Asked(request, code_hash, (read_request(request.tls_request), read_request(request.gallery_request)))
    except (EnrolmentError, ClaimCodeError, RequestError) as e:
        logger.info("a request for enrolment from %s was refused: %s", address, e)
        return None


def _refusal(problem: str, retry_s: int = 0) -> Response:
    headers = {"retry-after": str(retry_s)} if retry_s else None
    data = json.encode(Refusal(problem=problem, retry_s=retry_s))
    return Response(data, status_code=_STATUS.get(problem, 403), media_type="application/json", headers=headers)
