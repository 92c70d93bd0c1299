"""A gallery for each premises, and the office's machine port that they ask.

The fleet makes the demo's nodes, with their keys, while galleries have those that a unit makes as it claims its place
(``--script town-live`` does that). So here the keys are made beside, and the fleet is told what such a claim would say.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from demo.cable import Cable
from demo.fitting import GALLERY_SOCKET, watchlink
from demo.ports import LOOPBACK, claim_ports
from demo.program import Program
from provisioning.certificates import issue_client_certificate
from provisioning.fleet import Fleet
from provisioning.office import issue_office_certificate
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from wire.enrolment import GALLERY_PREFIX
from wire.node_file import gallery_toml
from wire.subjects import NODES

PORT: Final = "port"
GALLERY: Final = "gallery"
_OFFICE_NODES: Final = (sys.executable, "-m", "watchlink.cli", "office", "nodes")
BENCH: Final = "machine.json"
NO_BATTERY: Final = "no-clock"
"""The machine's own clock proves nothing in a demo in which clocks are set."""


class ShopGallery(msgspec.Struct, frozen=True):
    """The gallery of one premises.

    Attributes:
        program: its process.
        cable: its way to the office.
        folder: its files; ``state`` in it is the card.
        page: address of its page.
    """

    program: Program
    cable: Cable
    folder: Path
    page: str

    @property
    def clock_file(self) -> Path:
        """Stands for a clock with a battery; there is none until somebody writes Unix seconds into it."""
        return self.folder / NO_BATTERY

    @property
    def bench_file(self) -> Path:
        """Its machine, if that is a bench (:mod:`demo.gallery_unit`)."""
        return self.folder / BENCH


class Galleries:
    """All of a town, with the office's machine port.

    Args:
        fleet: the town's; its nodes have galleries' keys (:func:`make_keys`).
        office: the office's folder.
        nodes: whose.
        make: makes a program that is not started yet: name of its log, its command line, in whose name it tells facts.
        lay: makes a cable, from a port to a port.
        are_on_benches: their machines' clocks can be set (:mod:`demo.gallery_unit`).

    Attributes:
        port: the machine port.
        of: the gallery of each node.
    """

    def __init__(
        self,
        fleet: Fleet,
        office: Path,
        nodes: Sequence[str],
        make: Callable[[str, list[str], str], Program],
        lay: Callable[[int, int], Cable],
        *,
        are_on_benches: bool = False,
    ) -> None:
        port, *near = claim_ports(1 + 2 * len(nodes))
        toml = _write_port(fleet, office, port)
        self.port = make(PORT, [*_OFFICE_NODES, "--config", str(toml)], PORT)
        self.of: dict[str, ShopGallery] = {}
        for node, cable_port, page_port in zip(nodes, near[::2], near[1::2], strict=True):
            own = _write_gallery(fleet.node_folder(node), node, cable_port, page_port)
            bench = [sys.executable, "-m", "demo.gallery_unit", str(own.with_name(BENCH)), str(own)]
            program = make(f"{GALLERY}-{node}", bench if are_on_benches else watchlink("gallery", own), node)
            page = f"http://{LOOPBACK}:{page_port}/"
            self.of[node] = ShopGallery(program, lay(cable_port, port), own.parent, page)

    @property
    def programs(self) -> tuple[Program, ...]:
        """In starting order."""
        return (self.port, *(one.program for one in self.of.values()))

    def told_by(self, program: Program) -> tuple[str, str] | None:
        """By which fact one of these says that it is up, and in whose name; ``None`` = it is none of these."""
        if program is self.port:
            return "listening", PORT
        nodes = (node for node, one in self.of.items() if one.program is program)
        return next((("gallery_started", node) for node in nodes), None)


def make_keys(fleet: Fleet, nodes: Sequence[str]) -> None:
    """What each node's gallery needs, in a folder of its own in the node's; the directory says what to seal to."""
    folder = fleet.folder
    keys = {node: X25519PrivateKey.generate() for node in nodes}
    issuer = fleet.issuer(NODES)
    for node, key in keys.items():
        own = folder.layout.node(node)
        made = own / GALLERY
        made.mkdir(mode=0o700)
        issued = issue_client_certificate(issuer, f"{GALLERY_PREFIX}{node}")
        for name, data in (("gallery.key", issued.key_pem), ("sealing.key", key.private_bytes_raw().hex().encode())):
            write_atomic(made / name, data, PRIVATE)
        write_atomic(made / "gallery.pem", issued.certificate_pem, PUBLIC)
        for name in ("ca.pem", "authority.pub"):
            shutil.copy(own / name, made)
    with folder.changing():
        record = folder.record
        with_keys = tuple(
            msgspec.structs.replace(one, sealing_key=keys[one.node].public_key().public_bytes_raw().hex())
            if one.node in keys
            else one
            for one in record.nodes
        )
        folder.commit(msgspec.structs.replace(record, nodes=with_keys).with_next_directory(folder.now()))
        folder.publish()


def _write_gallery(own: Path, node: str, port: int, page_port: int) -> Path:
    """The configuration of a node's gallery: its way to the office, and where its page is. Returns it."""
    toml = own / GALLERY / "gallery.toml"
    text = gallery_toml(node=node, office=(LOOPBACK, port), state_dir="state", socket=f"../{GALLERY_SOCKET}")
    toml.write_text(f'{text}\n[page]\nport = {page_port}\n\n[clock]\nbattery_file = "{NO_BATTERY}"\n', encoding="utf-8")
    return toml


def _write_port(fleet: Fleet, office: Path, port: int) -> Path:
    """The configuration of the office's machine port; returns it."""
    issue_office_certificate(fleet.folder, LOOPBACK)
    folder = office / "nodes"
    folder.mkdir(mode=0o700)
    write_atomic(folder / "ca.pem", fleet.issuer(NODES).certificate_pem, PUBLIC)
    toml = folder / "nodes.toml"
    toml.write_text(
        f"""\
[web]
host = "{LOOPBACK}"
port = {port}
certificate_file = "../publisher/server.pem"
key_file = "../publisher/server.key"

[town]
authority_file = "../../central/authority.pub"
directory_file = "../../directory.json"
lists_file = "../../broker/crl.pem"

[keys]
gallery_key_file = "../publisher/gallery.key"
photographs_key_file = "../keys/photographs.key"
""",
        encoding="utf-8",
    )
    return toml
