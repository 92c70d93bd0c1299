"""Certificates with their keys, in files, for tests of how they are replaced."""

from __future__ import annotations

from pathlib import Path

from provisioning.certificates import CertificateAuthority, IssuedCertificate, issue_client_certificate
from runtime.key_pair import KeyPair, replace_pair

NAME = "00000010"


def pair_in(folder: Path) -> KeyPair:
    """The usual files."""
    return KeyPair(folder / "client.pem", folder / "client.key")


def write_pair(folder: Path, issued: IssuedCertificate, name: str = "client") -> None:
    """Both files, as somebody carries them here."""
    (folder / f"{name}.pem").write_bytes(issued.certificate_pem)
    (folder / f"{name}.key").write_bytes(issued.key_pem)


def make(authority: CertificateAuthority, name: str = NAME) -> IssuedCertificate:
    """A new certificate with a new key."""
    return issue_client_certificate(authority, name)


def replace_by_the_next(folder: Path) -> None:
    """Put ``next.pem`` and ``next.key`` in place."""
    replace_pair(pair_in(folder), (folder / "next.pem").read_bytes(), (folder / "next.key").read_bytes())
