"""TLS: our own CA only, 1.3 only, and errors as sentences for people; for the MQTT link and for pages.

Under TLS 1.3 a refused client certificate shows only after the handshake, on the first read, and paho keeps no
exception. So our own socket class remembers what went wrong.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from runtime.config import ConfigError
from runtime.key_pair import KeyPair, settle_pair


class LinkFault(Struct, frozen=True):
    """Why there is no link.

    Attributes:
        detail: one plain sentence without a full stop.
        is_permanent: retrying unchanged cannot help.
    """

    detail: str
    is_permanent: bool = False


# OpenSSL's alert names as Python spells them in SSLError.reason (RFC 8446, section 6.2): what the peer says about us.
_ALERTS: Final = {
    "CERTIFICATE_EXPIRED": "the {peer} refuses our certificate: it has expired",
    "CERTIFICATE_REVOKED": "the {peer} refuses our certificate: it has been revoked",
    "CERTIFICATE_REQUIRED": "the {peer} asks for a client certificate and got none",
    "CERTIFICATE_UNKNOWN": "the {peer} refuses our certificate",
    "BAD_CERTIFICATE": "the {peer} refuses our certificate",
    "UNSUPPORTED_CERTIFICATE": "the {peer} refuses our certificate: it is not meant for a client",
    "UNKNOWN_CA": "the {peer} refuses our certificate: it is from another CA",
    "ACCESS_DENIED": "the {peer} refuses our certificate: access denied",
    "DECRYPT_ERROR": "the {peer} refuses our certificate: its signature is wrong",
}

# X509_V_ERR_… of OpenSSL's x509_vfy.h: what we say about its certificate.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_REVOKED: Final = 23
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 24, 79})
_WRONG_NAME: Final = frozenset({62, 64})


def describe_fault(error: BaseException | None, host: str, port: int, peer: str = "broker") -> LinkFault:
    """A failed connection as a sentence, in which the other side is called ``peer``. Never raises."""
    at = f"{host}:{port}"
    the_peer = f"the {peer} at {at}"
    match error:
        case ssl.SSLCertVerificationError():
            return _verification(error, the_peer)
        case ssl.SSLError():
            return _tls(error.reason or "", at, peer)
        case ConnectionRefusedError():
            detail = f"no {peer} answers at {at}"
        case TimeoutError():
            detail = f"{the_peer} does not answer in time"
        case OSError() if error.strerror:
            detail = f"{the_peer} cannot be reached: {error.strerror}"
        case _:
            detail = f"{the_peer} cannot be reached"
    return LinkFault(detail)


def _tls(reason: str, at: str, peer: str) -> LinkFault:
    the_peer = f"the {peer} at {at}"
    alert = reason.partition("ALERT_")[2]
    if alert in _ALERTS:
        return LinkFault(_ALERTS[alert].format(peer=peer), is_permanent=True)
    if reason in {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"}:
        return LinkFault(f"{the_peer} does not speak TLS 1.3", is_permanent=True)
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return LinkFault(f"what answers at {at} does not speak TLS", is_permanent=True)
    return LinkFault(f"TLS with {the_peer} failed: {reason or 'connection closed'}")


def _verification(error: ssl.SSLCertVerificationError, the_peer: str) -> LinkFault:
    code = error.verify_code
    if code == _NOT_YET_VALID:
        # A machine without a battery-backed clock wakes in the past; within a minute that may be corrected.
        return LinkFault(f"the certificate of {the_peer} is not valid yet, or the clock here is behind")
    if code == _EXPIRED:
        return LinkFault(f"the certificate of {the_peer} has expired, or the clock here is ahead", is_permanent=True)
    if code == _REVOKED:
        return LinkFault(f"the certificate of {the_peer} has been revoked", is_permanent=True)
    if code in _UNTRUSTED:
        return LinkFault(f"the certificate of {the_peer} is from another CA", is_permanent=True)
    if code in _WRONG_NAME:
        return LinkFault(f"the certificate of {the_peer} is for another name", is_permanent=True)
    return LinkFault(f"the certificate of {the_peer} is refused: {error.verify_message}", is_permanent=True)


def client_context(
    ca_file: Path, certificate_file: Path, key_file: Path, remember: Callable[[OSError], None]
) -> ssl.SSLContext:
    """A context that trusts only ``ca_file`` and presents ``certificate_file``, whose dates the peer judges.

    Args:
        ca_file: PEM; the only trusted root.
        certificate_file: PEM.
        key_file: PEM, not encrypted.
        remember: called on the connection's thread with each TLS or socket error.

    Raises:
        ConfigError: a file is missing or unreadable, is not PEM, or key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _trust(context, ca_file)
    _present(context, certificate_file, key_file)
    context.sslsocket_class = _remembering(remember)
    return context


def server_context(certificate_file: Path, key_file: Path, *, clients_ca_file: Path | None = None) -> ssl.SSLContext:
    """A context for a server, whose pair is put in place whole first, if that was interrupted.

    Args:
        certificate_file: PEM.
        key_file: PEM, not encrypted.
        clients_ca_file: PEM of roots or issuers; only clients with a certificate of theirs are let in.
            ``None`` = anybody.

    Raises:
        ConfigError: as :func:`client_context`.
    """
    with contextlib.suppress(OSError):  # Halves of two pairs are refused below.
        settle_pair(KeyPair(certificate_file, key_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if clients_ca_file is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        # An issuer may be trusted without its root, which would trust its other issuers too.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _trust(context, clients_ca_file)
    _present(context, certificate_file, key_file)
    return context


def _trust(context: ssl.SSLContext, ca_file: Path) -> None:
    _check_readable(ca_file, "CA certificate")
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError as e:
        raise ConfigError(f"{ca_file}: not a PEM certificate") from e


def _present(context: ssl.SSLContext, certificate_file: Path, key_file: Path) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    _check_readable(certificate_file, "certificate")
    _check_readable(key_file, "key")
    try:
        # Without a password callback OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate_file, key_file, password=lambda: "")
    except ssl.SSLError as e:
        if e.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"{key_file}: not the key of {certificate_file}") from e
        raise ConfigError(f"{certificate_file} and {key_file}: not an unencrypted PEM certificate and its key") from e


def _check_readable(path: Path, what: str) -> None:
    try:
        path.read_bytes()
    except OSError as e:
        raise ConfigError(f"{path}: the {what} cannot be read: {e.strerror}") from e


def _remembering(remember: Callable[[OSError], None]) -> type[ssl.SSLSocket]:
    class RememberingSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's signature
            try:
                super().do_handshake(block)
            except OSError as e:
                remember(e)
                raise

        def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
            try:
                return super().recv(buflen, flags)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except OSError as e:
                remember(e)
                raise

        def send(self, data: Any, flags: int = 0) -> int:  # noqa: ANN401 - any buffer, as in the library
            try:
                return super().send(data, flags)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except OSError as e:
                remember(e)
                # The broker may have said why and closed before we wrote: its alert is still to be read.
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError, OSError):
                    self.recv(1)
                raise

    return RememberingSocket
