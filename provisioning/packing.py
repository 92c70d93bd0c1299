"""What the fleet hands over for a machine, as one file to be carried: central's, or a node's (ADR 0027, 0033).

Never ``authority/``, whose keys everything depends on; and of ``nodes/`` the one node's folder alone. The key of the
nodes' issuer is handed over if the enrolment service is to run beside central, and not else.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from provisioning.ended import ended
from provisioning.errors import FleetError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.layout import Layout, pair_in
from runtime.atomic import PRIVATE, write_atomic
from runtime.key_pair import KeyPair, settle_pair
from wire.fleet_files import ENROLMENT_FILES

FOLDERS: Final = ("broker", "central", "office/publisher")
NODE_FOLDER: Final = "node"
NODE_FILES: Final = (
    "authority.pub",
    "directory.json",
    "signing.key",
    "ca.pem",
    "client.key",
    "client.pem",
    "node.toml",
)
LEFT_OUT: Final = frozenset({".pid", ".log"})
"""Of a broker that runs out of the folder."""


def packed_files(layout: Layout) -> list[Path]:
    """The files to be handed over. Folders within them are programs' own: state, snapshots."""
    files = [layout.directory, *(one for one in (layout.claims, layout.release) if one.exists())]
    for folder in FOLDERS:
        if (layout.town / folder).is_dir():
            files += sorted(
                path
                for path in (layout.town / folder).iterdir()
                if path.is_file() and path.name[:1] != "." and path.suffix not in LEFT_OUT
            )
    if layout.beside_central.exists():
        files += [layout.enrolment / name for name in ENROLMENT_FILES]
    return files


def pack(folder: FleetFolder, file: Path) -> int:
    """Write them to ``file``, a tar archive for its owner alone, and return how many.

    Without the folder's lock, which is held by the command that has this run to tell the broker. Run by hand beside
    another command it may hold half a change. That does no harm: each file is whole, who installs them looks whether
    they belong together, and the other command brings its own afterwards.

    Raises:
        FleetError: the disk refused.
    """
    _settle(*folder.layout.service_pairs.values())
    files = {str(path.relative_to(folder.layout.town)): path for path in packed_files(folder.layout)}
    _write(file, files)
    return len(files)


def pack_node(folder: FleetFolder, node: str, file: Path) -> Path:
    """Write a node's identity to ``file``, likewise, and return the folder that it comes from.

    After a renewal that folder may hold a certificate alone: it completes what the node has.

    Raises:
        FleetInputError: there is no such node, it is revoked, or nothing of it is here.
        FleetError: the disk refused.
    """
    record = folder.record.node(
        node,
        "Nothing is carried to it: its unit makes its keys itself, once it has the card that 'watchlink fleet seed {}'"
        " writes.",
    )
    if record.revoked_at is not None:
        raise FleetInputError(ended(folder.record, record, "pack"))
    carried = folder.layout.node(record.node)
    _settle(pair_in(carried, "client"))
    files = {f"{NODE_FOLDER}/{name}": carried / name for name in NODE_FILES if (carried / name).is_file()}
    if not files:
        raise FleetInputError(
            f"Nothing of {record.node} is in {carried}: it was carried to the node, or the node has made its own keys."
            f" 'watchlink fleet renew {record.node}' makes a new certificate for the node that has its keys."
        )
    _write(file, files)
    return carried


def _settle(*pairs: KeyPair) -> None:
    """Half of a new pair and half of an old one are worth nothing anywhere."""
    try:
        for pair in pairs:
            settle_pair(pair)
    except OSError as e:
        raise FleetError(f"{e.filename} cannot be put in place: {e.strerror}.") from e


def _write(file: Path, files: Mapping[str, Path]) -> None:
    archive = io.BytesIO()
    try:
        with tarfile.open(fileobj=archive, mode="w") as writing:
            for name, path in files.items():
                writing.add(path, name, filter=_nobodys)
        write_atomic(file, archive.getvalue(), PRIVATE)
    except OSError as e:
        raise FleetError(f"{file} cannot be written: {e.strerror}.") from e


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode = PRIVATE
    return member
