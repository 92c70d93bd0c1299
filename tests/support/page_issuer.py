"""An asking town whose fleet has given its office an issuer of units' pages."""

from __future__ import annotations

from typing import Final

from provisioning.web_authority import create_page_issuer, create_web_authority
from tests.support.asking_town import AskingTown

DOMAIN: Final = "watch.example.org"
CENTRAL: Final = "192.168.1.10"
"""For which it cannot speak."""
_TABLE: Final = '[pages]\ncertificate_file = "pages.pem"\nkey_file = "pages.key"\nroot_file = "web-ca.pem"\n'


def give_page_issuer(town: AskingTown) -> AskingTown:
    """Before its port starts."""
    root = create_web_authority("test", DOMAIN, town.now)
    issuer = create_page_issuer(root, town.now, domain=DOMAIN, others=[CENTRAL])
    town.write("nodes/web-ca.pem", root.certificate_pem)
    town.write("nodes/pages.pem", issuer.certificate_pem)
    town.write("nodes/pages.key", issuer.key_pem)
    town.config.write_text(town.config.read_text() + _TABLE)
    return town
