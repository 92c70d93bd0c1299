"""What is installed is what is in the repository: templates, styles, vectors, migrations too."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.project.repository import PACKAGES, REPOSITORY, files


def test_wheel_holds_every_file_of_every_package(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry_points = next(
            archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt")
        )

    # The units are no package: they ship with the room that puts them in place.
    units = {f"installation/{path.as_posix()}" for path in files("systemd")}
    assert {path.as_posix() for path in files(*PACKAGES)} | units == packed
    assert "watchlink = watchlink.cli:main" in entry_points
