"""Names of files that two programs must both know: in a fleet folder, and where lists are joined."""

from __future__ import annotations

from typing import Final

APPLY: Final = "apply"
"""Program that brings the fleet's changes to central; in the town folder."""
UNPROVEN: Final = "unproven.json"
"""In the town folder while the broker was not seen to obey."""
PROOF: Final = "proof.json"
"""What central's page is told of that (:mod:`runtime.proof_file`): with the broker's files, and beside the enrolment
service's directory what that one has proven."""
FETCH: Final = "fetch"
"""Program that writes the directory as central's machine has it from the enrolment service; in the town folder."""
CARRY: Final = "carry"
"""Program that brings a bundle to the enrolment service's machine; in the town folder."""
RELEASE: Final = "release.json"
"""The signed release (:mod:`wire.release`); in the town folder, and beside the open claims where the service is."""
RELEASES: Final = "releases"
"""Folder of its bundles, likewise."""
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

REGISTER_COPY: Final = "register.json"
"""What only the enrolment service knows, beside the directory with its changes: for central's backups."""

LISTS_OF_FLEET: Final = "fleets.pem"
"""Revocation lists of all issuers, as the fleet brings them. This and the next three are laid in one folder, for the
enrolment service to make one list of nodes from them."""
LISTS_HERE: Final = "here.pem"
"""As the broker has them."""
ISSUERS_IN_FORCE: Final = "issuers.pem"
DIRECTORY_OF_FLEET: Final = "directory.json"
"""Which says who is struck."""
