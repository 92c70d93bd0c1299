"""Runs inside the booted root: what ends soon, and what has ended, to be put where ``check`` must see it.

``python3 late.py TOWN`` writes ``/late.pem`` and ``/late-crl.pem``. ``python3 late.py TOWN FOLDER`` gives the unit with
that folder a certificate such as it has after eight weeks.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from provisioning.certificates import issue_client_certificate, issue_crl
from provisioning.fleet import Fleet
from runtime.key_pair import KeyPair, replace_pair
from wire.subjects import NODES, SERVICES

NODE = "00000010"
AGE = timedelta(days=56)
"""In the tenth week at the latest it is due; late only from the sixtieth day on."""


def main(town: Path) -> None:
    """Of central a certificate with four days left, and a revocation list of yesterday."""
    fleet = Fleet.open(town)
    now, issuers = fleet.now(), [fleet.issuer(one) for one in (NODES, SERVICES)]
    late = issue_client_certificate(issuers[1], "00000001", now=now, life=timedelta(days=4)).certificate_pem
    Path("/late.pem").write_bytes(late)
    lists = (issue_crl(one, set(), 1, now=now - timedelta(days=31)) for one in issuers)
    Path("/late-crl.pem").write_bytes(b"".join(lists))


def age(town: Path, folder: Path) -> None:
    """In place of the unit's own, for its owner."""
    fleet = Fleet.open(town)
    aged = issue_client_certificate(fleet.issuer(NODES), NODE, now=fleet.now() - AGE)
    replace_pair(KeyPair(folder / "client.pem", folder / "client.key"), aged.certificate_pem, aged.key_pem)


if __name__ == "__main__":
    (main if len(sys.argv) == 2 else age)(*map(Path, sys.argv[1:]))
