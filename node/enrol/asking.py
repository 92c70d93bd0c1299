"""Asks the enrolment service: first whom to trust, by the fingerprint in the seed; then for an identity."""

from __future__ import annotations

import base64
import http.client
import logging
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from node.enrol.keys import UnitKeys
from node.enrol.trouble import another_town, no_service, refused, waiting_for_network
from runtime.clock_proof import TIMESYNC_MARK, is_synchronised
from runtime.tls import describe_fault
from wire.enrolment import (
    ANSWER_BYTES_MAX,
    CA_CERTIFICATES_BYTES_MAX,
    CA_CERTIFICATES_PATH,
    ENROL_PATH,
    EnrolmentAnswer,
    Refusal,
    seal_request,
)
from wire.seed import Seed

logger = logging.getLogger(__name__)

WITHIN_S: Final = 15.0
"""For the connection, and for each piece of an answer."""
NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h), which Python has no name for."""
_OF_DATES: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and …_HAS_EXPIRED: of this town all the same."""
_OK: Final = 200
_PEER: Final = "enrolment service"


def ask(seed: Seed, keys: UnitKeys, *, mark: Path = TIMESYNC_MARK) -> EnrolmentAnswer:
    """What the service answers: checked for its form, and that it comes from the seed's town.

    Args:
        seed: where it is, and whom to trust.
        keys: the unit's.
        mark: as :func:`runtime.clock_proof.is_synchronised`.

    Raises:
        Trouble: nobody answers, whoever answers is of another town, or the service refuses.
    """
    roots = _roots(seed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata="".join(map(_pem, roots)))
    if not is_synchronised(mark):
        # Without a clock that is proven every certificate may look expired. Whose it is, the fingerprint says.
        context.verify_flags |= NO_CHECK_TIME
    body = seal_request(keys.request(seed), keys.signing)
    status, data = _exchange(seed, context, ENROL_PATH, body, ANSWER_BYTES_MAX)
    try:
        if status == _OK:
            return msgspec.json.decode(data, type=EnrolmentAnswer)
        refusal = msgspec.json.decode(data, type=Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise no_service(f"it answers {status} with something else") from e
    raise refused(refusal.problem, refusal.retry_s)


def roots_of(seed: Seed, certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Those whose fingerprint the seed has."""
    return [one for one in certificates if one.fingerprint(hashes.SHA256()).hex() in seed.ca_sha256]


def _roots(seed: Seed) -> list[x509.Certificate]:
    """RFC 7030, 4.1.1: from whoever answers; what counts is the fingerprint that came another way."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.minimum_version = ssl.TLSVersion.TLSv1_3
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    status, data = _exchange(seed, anybody, CA_CERTIFICATES_PATH, None, CA_CERTIFICATES_BYTES_MAX)
    if status != _OK:
        raise no_service(f"it answers {status}")
    try:
        found = pkcs7.load_der_pkcs7_certificates(base64.b64decode(data))
    except (ValueError, UnsupportedAlgorithm) as e:
        raise no_service("it answers with something else than certificates") from e
    roots = roots_of(seed, found)
    if not roots:
        raise another_town("none of its certificates has the fingerprint in the seed")
    return roots


def _exchange(seed: Seed, context: ssl.SSLContext, path: str, body: bytes | None, bytes_max: int) -> tuple[int, bytes]:
    host, port = seed.enrolment.host, seed.enrolment.port
    connection = http.client.HTTPSConnection(host, port, timeout=WITHIN_S, context=context)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        data = answer.read(bytes_max + 1)
    except ssl.SSLCertVerificationError as e:
        if e.verify_code in _OF_DATES:
            raise no_service(describe_fault(e, host, port, _PEER).detail) from e
        raise another_town(describe_fault(e, host, port, _PEER).detail) from e
    except (ConnectionError, TimeoutError, ssl.SSLError) as e:
        raise no_service(describe_fault(e, host, port, _PEER).detail) from e
    except socket.gaierror as e:
        raise waiting_for_network(f"the name {host} is not known here") from e
    except OSError as e:
        raise waiting_for_network(describe_fault(e, host, port, _PEER).detail) from e
    except http.client.HTTPException as e:
        raise no_service("it does not answer as a web server does") from e
    finally:
        connection.close()
    if len(data) > bytes_max:
        raise no_service("its answer is far too large")
    return answer.status, data


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
