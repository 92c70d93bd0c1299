"""A unit's gallery as its files say it, beside a town whose office has a machine port."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.asking_town import AUTHORITY, HOST, SHOP, AskingTown, sealing_key
from wire.ids import NodeId, node_text

NO_BATTERY: Final = "no-such-clock"


def write_gallery(
    folder: Path, town: AskingTown, port: int, node: NodeId = SHOP, *, has_directory: bool = True
) -> Path:
    """Everything that belongs to it; returns its configuration."""
    folder.mkdir(parents=True)
    issued = town.certificate(node)
    key = sealing_key(node).private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    config = folder / "gallery.toml"
    first = 'directory_file = "directory.json"\n' if has_directory else ""
    for name, data in {
        "ca.pem": town.root.certificate_pem,
        "gallery.pem": issued.certificate_pem,
        "gallery.key": issued.key_pem,
        "sealing.key": key.hex().encode(),
        "authority.pub": AUTHORITY.public.raw.hex().encode(),
        "directory.json": (town.folder / "directory.json").read_bytes(),
        config.name: (
            f'[identity]\nnode = "{node_text(node)}"\n{first}[office]\nhost = "{HOST}"\nport = {port}\n'
            f'[page]\nport = 0\n[clock]\nbattery_file = "{NO_BATTERY}"\n'
        ).encode(),
    }.items():
        (folder / name).write_bytes(data)
    return config
