"""A unit's gallery under a real systemd: it is handed its identity, and has no right to the node's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from images.recipe import LAYERS
from tests.support.asking_town import AskingTown
from tests.support.booted_system import PROGRAM, SYSTEM, UNITS, Proof, boot, installed, product, written
from tests.support.gallery_program import write_gallery
from tests.systemd.test_units import EXPOSURE_MAX_TENTHS
from wire.node_file import gallery_toml

pytestmark = [pytest.mark.integration, pytest.mark.long]

LOCKED = ("argon2", "_argon2_cffi_bindings")
"""From the lock: the root has no package of it."""
OF_THE_IMAGE = LAYERS / "watchlink/files"
TELLING_THE_NAME = ("usr/lib/watchlink/name", "etc/systemd/system/avahi-daemon.service.d/name.conf")
NAMED = "avahi-daemon.service.d/watchlink.conf"
SHIPPED = (NAMED, "watchlink-gallery.service", "watchlink-gallery-http.socket", "watchlink-gallery-https.socket")
LOOPING = PROGRAM.replace(
    "raise SystemExit",
    """\
import gallery.running, pathlib
ours = gallery.running.next_deadline_ms
def looping(state):
    while pathlib.Path("/run/core-loops").exists():
        pass
    return ours(state)
gallery.running.next_deadline_ms = looping
raise SystemExit""",
)
"""The program, with a core that does not get done while there is this file."""


@pytest.fixture(scope="module")
def proof(debian_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Boot once, let ``gallery-proof.sh`` do its work, and read what it saw."""
    folder = tmp_path_factory.mktemp("gallery-boot")
    (folder / "town").mkdir()
    config = write_gallery(folder / "unit", AskingTown(folder / "town"), 1)
    state = "/var/lib/watchlink-gallery"
    # As a unit writes it when it claims its place; the office is away.
    text = gallery_toml(node="00000010", office=("127.0.0.1", 8444), state_dir=state)
    written(config, text)
    mounts = {
        **product(folder, Path(__file__).with_name("gallery-proof.sh"), LOOPING, packages=["gallery"]),
        **{installed(name): f"/opt/watchlink/lib/{name}" for name in LOCKED},
        **{UNITS / name: f"{SYSTEM}/{name}" for name in (*SHIPPED, "watchlink-node-renew.service")},
        **{
            UNITS / f"{kind}.d/watchlink-node.conf": f"/etc/{kind}.d/watchlink-node.conf"
            for kind in ("sysusers", "tmpfiles")
        },
        UNITS / "avahi/watchlink.conf.in": "/etc/avahi/watchlink.conf.in",
        **{OF_THE_IMAGE / name: f"/{name}" for name in TELLING_THE_NAME},
        Path(__file__).with_name("who_is.py"): "/who_is.py",
        folder / "unit": "/unit",
    }
    return boot(debian_root, folder, mounts, {})


def test_gallery_is_off_without_an_office_and_starts_with_one(proof: Proof) -> None:
    assert "inactive\n" == proof.text("unconfigured")
    assert "active\n" == proof.text("started"), proof.text("log")
    assert "success\n" == proof.text("result")


def test_screen_on_the_unit_says_what_is_the_matter(proof: Proof) -> None:
    assert "There is no gallery on this unit yet." in proof.text("page"), proof.text("log")
    assert "No contact with the office yet. There is no gallery on this unit yet.\n" == proof.text("status")


def test_shop_finds_it_at_the_ports_that_browsers_take_by_themselves(proof: Proof) -> None:
    """It has no right to open them: systemd does, and again whenever it is started anew."""
    assert "Fit a tablet to this unit" in proof.text("fit"), proof.text("log")
    assert "Fit a tablet to this unit" in proof.text("fit-6"), proof.text("log")
    assert "There is no gallery on this unit yet." in proof.text("screen")
    assert "443 is open\n" == proof.text("tls")
    assert "Fit a tablet to this unit" in proof.text("fit-after-kill"), proof.text("log")
    assert "0000000000000000\n" == proof.text("rights")


def test_shop_finds_it_by_its_own_name_and_by_no_other(proof: Proof) -> None:
    """As on the card's image, which writes the name itself; asked by multicast, as a tablet does (RFC 6762)."""
    assert "192.168.77.1\n" == proof.text("named"), proof.text("avahi")
    assert "nobody\n" == proof.text("named-otherwise")
    assert "avahi 0000000000000000\n" == proof.text("avahi-rights")
    assert float(proof.text("avahi-exposure")) <= EXPOSURE_MAX_TENTHS / 10
    assert "Fit a tablet to this unit" in proof.text("fit-by-name"), proof.text("log")
    assert "403" in proof.text("shown-by-name")


def test_ports_are_open_as_long_as_the_gallery_runs(proof: Proof) -> None:
    assert ["inactive", "inactive"] == proof.text("ports-before").split()
    assert ["active", "active"] == proof.text("ports").split()
    assert ["inactive", "inactive"] == proof.text("ports-after").split()


def test_gallery_does_without_a_port_that_another_program_has(proof: Proof) -> None:
    assert ["failed", "active", "active"] == proof.text("taken").split()
    assert "There is no gallery on this unit yet." in proof.text("page-taken"), proof.text("log")
    assert "Fit a tablet to this unit" in proof.text("fit-freed"), proof.text("log")


def test_gallery_sees_nothing_of_the_nodes_and_keeps_its_own(proof: Proof) -> None:
    assert "" == proof.text("seen")
    assert "watchlink-gallery watchlink-gallery 600\n" == proof.text("store")
    # Its user reads them by an access list, and nobody else does.
    assert "root 440\n" == proof.text("handed")


def test_renewed_certificate_restarts_it_and_nothing_else_does(proof: Proof) -> None:
    assert "goes on\nactive\n" == proof.text("renewals")


def test_gallery_that_hangs_is_ended_by_the_watchdog_and_started_again(proof: Proof) -> None:
    """Stopped as a whole it answers nobody; with a core that loops its page could go on for ever."""
    # In its twelve seconds, or it is hung up on when the watchdog comes sooner.
    assert "Traceback" in proof.text("page-stopped")
    for name in ("stopped", "looping"):
        assert "There is no gallery on this unit yet." in proof.text(f"page-after-{name}"), proof.text("log")
    assert ("2\n", 2) == (proof.text("restarts"), proof.text("log").count("Watchdog timeout"))


def test_restart_of_the_program_is_no_boot_of_the_machine(proof: Proof) -> None:
    """Else each would cost ten minutes of the lease, and the proof of the time."""
    ledger = json.loads(proof.text("ledger"))

    assert (proof.text("boot").strip(), 600) == (ledger["boot_id"], ledger["lease"]["charged_s"])
