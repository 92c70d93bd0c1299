"""Fleets with one CA for everybody, as the version before issuers made them."""

from __future__ import annotations

from pathlib import Path

from provisioning.fleet import Fleet
from tests.support.old_version import OldVersion

COMMIT = "040a2222"
"""The last one without issuers."""
_MAKE = """
import sys
from pathlib import Path
from provisioning.fleet import Fleet, NewNode
from provisioning.office import issue_office_certificate
town, port, web_port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
fleet = Fleet.init(town, schemes={"hart": "HART"}, port=port, web_port=web_port)
fleet.add_all([NewNode(name, "High St", ["hart"], profile="fake") for name in ("Corner Shop", "Bakery")])
issue_office_certificate(fleet.folder)
"""


def one_ca_fleet(version: OldVersion, town: Path, port: int = 8883, web_port: int = 8080) -> Fleet:
    """A fleet with two nodes and an office, made by that version and opened by ours."""
    version.run(_MAKE, str(town), str(port), str(web_port))
    return Fleet.open(town)
