"""Runs inside the booted root: what ends soon, and what has ended, to be put where ``check`` must see it.

``python3 late.py TOWN`` writes ``/late.pem`` and ``/late-crl.pem``.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from provisioning.certificates import issue_client_certificate, issue_crl
from provisioning.fleet import Fleet
from wire.subjects import NODES, SERVICES


def main(town: Path) -> None:
    """Of central a certificate with four days left, and a revocation list of yesterday."""
    fleet = Fleet.open(town)
    now, issuers = fleet.now(), [fleet.issuer(one) for one in (NODES, SERVICES)]
    late = issue_client_certificate(issuers[1], "00000001", now=now, life=timedelta(days=4)).certificate_pem
    Path("/late.pem").write_bytes(late)
    lists = (issue_crl(one, set(), 1, now=now - timedelta(days=31)) for one in issuers)
    Path("/late-crl.pem").write_bytes(b"".join(lists))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
