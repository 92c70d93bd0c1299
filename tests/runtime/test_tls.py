"""Why there is no link, in words for the screen and the log."""

from __future__ import annotations

import ssl

import pytest

from runtime.tls import LinkFault, describe_fault


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "refused")
    error.verify_code, error.verify_message = code, "words of the library"
    return error


@pytest.mark.parametrize(
    ("error", "words", "is_permanent"),
    [
        (tls("SSLV3_ALERT_CERTIFICATE_EXPIRED"), "refuses our certificate: it has expired", True),
        (tls("SSLV3_ALERT_CERTIFICATE_REVOKED"), "refuses our certificate: it has been revoked", True),
        (tls("TLSV1_ALERT_UNKNOWN_CA"), "refuses our certificate: it is from another CA", True),
        (tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "asks for a client certificate", True),
        (tls("TLSV1_ALERT_PROTOCOL_VERSION"), "does not speak TLS 1.3", True),
        (tls("WRONG_VERSION_NUMBER"), "does not speak TLS", True),
        (tls("UNEXPECTED_EOF_WHILE_READING"), "failed: UNEXPECTED_EOF_WHILE_READING", False),
        (verification(9), "not valid yet, or the clock here is behind", False),
        (verification(10), "has expired, or the clock here is ahead", True),
        (verification(20), "from another CA", True),
        (verification(64), "for another name", True),
        (verification(999), "words of the library", True),
        (ConnectionRefusedError(111, "refused"), "no broker answers at b:1", False),
        (TimeoutError(), "does not answer in time", False),
        (OSError(113, "No route to host"), "cannot be reached: No route to host", False),
        (None, "cannot be reached", False),
    ],
)
def test_describe_fault_says_it_plainly(error: BaseException | None, words: str, is_permanent: bool) -> None:  # noqa: FBT001
    fault = describe_fault(error, "b", 1)

    assert words in fault.detail
    assert LinkFault(fault.detail, is_permanent) == fault
    assert "\n" not in fault.detail
