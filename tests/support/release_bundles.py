"""Small bundles that are real: made by ``rauc``, signed by a maker of this test."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

PI, PC = "watchlink-pi", "watchlink-pc"
OLD, NEW, NEWEST = "0.1.0.202611010000", "0.1.0.202611020000", "0.1.0.202611030000"
SUPPORT_ENDS = "2031-12-31"


@dataclass
class Maker:
    """Who makes bundles, with a key and a certificate in a folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Maker")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self.folder / "maker.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def certificate(self) -> Path:
        """PEM."""
        return self.folder / "maker.pem"

    def bundle(self, version: str = OLD, compatible: str = PI, size_bytes: int = 8192) -> Path:
        """A new one, with so much in it."""
        contents = self.folder / f"{compatible}-{version}"
        contents.mkdir()
        # What cannot be made smaller: a bundle has at least 4 kB.
        (contents / "root.img").write_bytes(os.urandom(size_bytes))
        (contents / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n"
            "[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n"
        )
        made = self.folder / f"{compatible}-{version}.raucb"
        signing = (f"--cert={self.certificate}", f"--key={self.folder / 'maker.key'}")
        subprocess.run(["rauc", "bundle", *signing, str(contents), str(made)], check=True, capture_output=True)
        return made
