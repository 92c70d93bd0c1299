"""What the fleet hands over for central's machine, as one file to be carried (ADR 0027).

Never ``authority/``, whose keys everything depends on, nor ``nodes/``, each of which holds a node's only keys.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Final

from provisioning.errors import FleetError
from provisioning.folder import FleetFolder
from provisioning.layout import Layout
from runtime.atomic import PRIVATE, write_atomic

FOLDERS: Final = ("broker", "central", "office/publisher")
LEFT_OUT: Final = frozenset({".pid", ".log"})
"""Of a broker that runs out of the folder."""


def packed_files(layout: Layout) -> list[Path]:
    """The files to be handed over. Folders within them are programs' own: state, snapshots."""
    files = [layout.directory, *([layout.claims] if layout.claims.exists() else [])]
    for folder in FOLDERS:
        if (layout.town / folder).is_dir():
            files += sorted(
                path
                for path in (layout.town / folder).iterdir()
                if path.is_file() and path.name[:1] != "." and path.suffix not in LEFT_OUT
            )
    return files


def pack(folder: FleetFolder, file: Path) -> int:
    """Write them to ``file``, a tar archive for its owner alone, and return how many.

    Without the folder's lock, which is held by the command that has this run to tell the broker. Half a change does no
    harm: each file is whole, and who installs them looks whether they belong together.

    Raises:
        FleetError: the disk refused.
    """
    archive = io.BytesIO()
    files = packed_files(folder.layout)
    try:
        with tarfile.open(fileobj=archive, mode="w") as writing:
            for path in files:
                writing.add(path, str(path.relative_to(folder.layout.town)), filter=_nobodys)
        write_atomic(file, archive.getvalue(), PRIVATE)
    except OSError as e:
        raise FleetError(f"{file} cannot be written: {e.strerror}.") from e
    return len(files)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode = PRIVATE
    return member
