"""Names in a fleet folder that its own program and whoever installs from it must both know."""

from __future__ import annotations

from typing import Final

ENROLMENT_FOLDER: Final = "enrolment"
BESIDE_CENTRAL: Final = "beside-central"
"""In that folder: it travels with central's files."""
ENROLMENT_FILES: Final = (
    "authority.pub",
    "ca.pem",
    "nodes.key",
    "nodes.pem",
    "server.key",
    "server.pem",
    "enrol.toml",
)
"""What travels, in the order of writing. Never the delegate's key, which the service's machine makes itself."""
