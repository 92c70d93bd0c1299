"""Small bundles that are real: made by ``rauc``, signed by a maker of this test."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from images.maker import maker_in

PI, PC = "watchlink-pi", "watchlink-pc"
OLD, NEW, NEWEST = "0.1.0.202611010000", "0.1.0.202611020000", "0.1.0.202611030000"
SUPPORT_ENDS = "2031-12-31"


@dataclass
class Maker:
    """Who makes bundles, with the key of a folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """PEM."""
        return maker_in(self.folder)[0]

    def bundle(self, version: str = OLD, compatible: str = PI, size_bytes: int = 8192) -> Path:
        """A new one, with so much in it."""
        certificate, key = maker_in(self.folder)
        contents = self.folder / f"{compatible}-{version}"
        contents.mkdir()
        # What cannot be made smaller: a bundle has at least 4 kB.
        (contents / "root.img").write_bytes(os.urandom(size_bytes))
        (contents / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n"
            "[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n"
        )
        made = self.folder / f"{compatible}-{version}.raucb"
        signing = (f"--cert={certificate}", f"--key={key}")
        subprocess.run(["rauc", "bundle", *signing, str(contents), str(made)], check=True, capture_output=True)
        return made
