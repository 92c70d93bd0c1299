"""The notifier beside central under a real systemd: each in its cage, and with one socket between them (F3, C8)."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

from provisioning.fleet import Fleet
from tests.support.booted_system import REPOSITORY, SYSTEM, UNITS, Proof, boot, copied, installed, product, written

pytestmark = pytest.mark.integration

LOCKED: Final = ("apprise", "http_ece", "py_vapid", "pywebpush")
"""Libraries of the notifier's from the lock; what they need comes from Debian."""
KNOCK: Final = """
import socket, sys
with socket.socket(socket.AF_UNIX) as knocking:
    knocking.settimeout(60)
    try:
        knocking.connect(sys.argv[1])
        said = f"heard {len(knocking.recv(4096))} bytes"
    except OSError as e:
        said = type(e).__name__
print(sys.argv[2], said)
"""


def documented() -> list[str]:
    """``notifier.toml``, and what central's configuration gets, as docs/notifier.md has them."""
    page = (REPOSITORY / "docs/notifier.md").read_text(encoding="utf-8")
    return [dedent(block) for block in re.findall(r"```toml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)]


@pytest.fixture(scope="module")
def proof(debian_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Boot once, let ``notifier-proof.sh`` do its work, and read what it saw."""
    folder = tmp_path_factory.mktemp("notifier-boot")
    Fleet.init(folder / "town", schemes={"hart": "HART"})
    libraries = {copied(installed(name), folder / "lib" / name): f"/opt/watchlink/lib/{name}" for name in LOCKED}
    of_notifier, of_central = documented()
    programs = ("watchlink-central", "watchlink-notifier")
    return boot(
        debian_root,
        folder,
        {
            **libraries,
            **product(folder, Path(__file__).with_name("notifier-proof.sh"), packages=["notifier"]),
            **{UNITS / f"{name}.service": f"{SYSTEM}/{name}.service" for name in programs},
            **{
                UNITS / f"{kind}.d/{name}.conf": f"/etc/{kind}.d/{name}.conf"
                for kind in ("sysusers", "tmpfiles")
                for name in (*programs, "watchlink-node")
            },
            folder / "town": "/town",
            written(folder / "knock.py", KNOCK): "/knock.py",
            written(folder / "notifier.toml", of_notifier + '[sms]\ngateway_file = "sms.url"\n'): "/notifier.toml",
            written(folder / "central.toml", of_central): "/central.toml",
            written(folder / "sms.url", "clicksend://name:secret-word@{to}"): "/sms.url",
        },
        {},
    )


def test_notifier_is_off_until_somebody_has_written_its_configuration(proof: Proof) -> None:
    assert "inactive\n" == proof.text("unconfigured")


@pytest.mark.parametrize("unit", ["watchlink-notifier", "watchlink-central"])
def test_both_run_in_their_cages_by_the_documented_configuration(proof: Proof, unit: str) -> None:
    started, log = proof.properties(f"{unit}.started"), proof.text(f"{unit}.log")

    assert ("active", "running", "0") == (started["ActiveState"], started["SubState"], started["NRestarts"]), log


def test_central_and_nobody_else_is_heard_at_the_socket(proof: Proof) -> None:
    """Root comes in and is hung up on; others do not even reach it."""
    assert ["root heard 0 bytes", "watchlink-node PermissionError", "nobody PermissionError"] == proof.text(
        "knocked"
    ).splitlines()
    now, before = proof.text("link").split()
    assert before == now, proof.text("watchlink-notifier.log")


def test_notifier_that_dies_is_back_and_central_finds_it(proof: Proof) -> None:
    assert (proof.folder / "linked-again").exists(), proof.text("watchlink-central.log")
    assert "0" == proof.properties("watchlink-central.stopped")["NRestarts"]
    stopped = proof.properties("watchlink-notifier.stopped")
    assert ("inactive", "success") == (stopped["ActiveState"], stopped["Result"])


def test_gateways_password_is_the_notifiers_alone(proof: Proof) -> None:
    files = dict(line.split(" ", 2)[::-2] for line in proof.text("files").splitlines())

    assert {"watchlink-notifier"} == {*files.values()}
    assert "watchlink-notifier 600 /var/lib/watchlink-notifier/push.pem" in proof.text("files").splitlines()
    assert "secret-word" not in proof.text("watchlink-notifier.log") + proof.text("watchlink-central.log")
