"""Where a node's gallery asks at the office's machine port (ADR 0034)."""

from __future__ import annotations

from typing import Final

MACHINE_PORT: Final = 8444
"""Where the port listens, unless the town says otherwise."""
CONTACT_PATH: Final = "/gallery/contact"
"""``POST`` a question (:mod:`wire.gallery_contact`); the answer comes when there is one, within half a minute."""
VIEWS_PATH: Final = "/gallery/views"
"""``POST`` records of the view log (:mod:`wire.gallery_views`). The answer is where the chain has come to at the
office, a ``ViewHead`` as JSON: what is up to there need not be sent again."""
PAGE_CERTIFICATE_PATH: Final = "/gallery/page-certificate"
"""``POST`` a PKCS #10 request in DER; the answer is a :class:`wire.page_certificate.PageCertificate`, as JSON."""
REPORTS_PATH: Final = "/gallery/reports"
"""``POST`` breaches and sightings (:mod:`wire.gallery_reports`). The answer says which the office has committed."""
DIRECTORY_PATH: Final = "/gallery/directory"
"""``GET`` the newest signed directory, the delegate's changes with it (:mod:`wire.directory`). With ``?held=SERIAL``
the answer is empty if there is none newer than that."""
LINES_PATH: Final = "/gallery/{scheme}/{number}/lines"
"""``GET`` all lines of a gallery, as they are in its file."""
ROWS_PATH: Final = "/gallery/{scheme}/{number}/rows"
"""``GET`` all rows of a gallery that are the asking node's."""
PHOTOGRAPH_PATH: Final = "/gallery/photographs/{sha256}"
"""``GET`` the ciphertext of a photograph."""


def directory_path(held: int) -> str:
    """Of the newest directory, if it is newer than this serial."""
    return f"{DIRECTORY_PATH}?held={held}"


def lines_path(scheme: int, number: int) -> str:
    """Of the gallery with that number."""
    return LINES_PATH.format(scheme=scheme, number=number)


def rows_path(scheme: int, number: int) -> str:
    """Of the gallery with that number."""
    return ROWS_PATH.format(scheme=scheme, number=number)


def photograph_path(sha256: str) -> str:
    """Of the ciphertext with that SHA-256."""
    return PHOTOGRAPH_PATH.format(sha256=sha256)
