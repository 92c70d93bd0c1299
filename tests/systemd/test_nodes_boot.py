"""The machine port under a real systemd: its keys come as credentials, and the folders they are in stay shut."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.asking_town import HART, PHOTOGRAPHS_KEY, SHOP, AskingTown, Entry, content_key, opened
from tests.support.booted_system import REPOSITORY, SYSTEM, UNITS, Proof, boot, product, written
from wire.gallery_contact import decode_answer

pytestmark = pytest.mark.integration

FACE: Final = Entry(1, photograph=b"a face")
ASK: Final = """
import http.client, pathlib, shutil, ssl, sys
town, directory = map(pathlib.Path, sys.argv[1:])
context = ssl.create_default_context(cafile=town / "root.pem")
context.load_cert_chain(town / "gallery.pem", town / "gallery.key")

def sent():
    asking = http.client.HTTPSConnection("127.0.0.1", 8444, timeout=60, context=context)
    asking.request("POST", "/gallery/contact", b"{}")
    return asking

answer = sent().getresponse()
sys.stdout.buffer.write(answer.read())
waiting = sent()
shutil.copy(town / "struck.json", directory.with_suffix(".new"))
directory.with_suffix(".new").replace(directory)
try:
    print(waiting.getresponse().status, file=sys.stderr)
except (OSError, http.client.HTTPException):
    print("cut off", file=sys.stderr)
print(sent().getresponse().status, file=sys.stderr)
"""
"""The shop's gallery, which is struck while it waits."""


def documented() -> str:
    """The configuration of docs/office.md, on a machine without an enrolment service."""
    text = (REPOSITORY / "docs/office.md").read_text()
    (toml,) = re.findall(r"## Galleries for nodes\n.*?```toml\n(.*?)```", text, re.DOTALL)
    return re.sub(r"^(delegated_file|issuers_file) = .*\n", "", toml, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def proof(debian_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Boot once, let ``nodes-proof.sh`` do its work, and read what it saw."""
    folder = tmp_path_factory.mktemp("nodes-boot")
    (folder / "town").mkdir()
    town = AskingTown(folder / "town")
    town.publish(HART, [FACE])
    directory = (town.folder / "directory.json").read_bytes()
    town.strike(SHOP)
    (town.folder / "directory.json").rename(town.folder / "struck.json")
    town.write("directory.json", directory)
    town.write("gallery.pem", town.certificate(SHOP).certificate_pem)
    town.write("gallery.key", town.certificate(SHOP).key_pem)
    name = "watchlink-office-nodes.service"
    mounts = {
        **product(folder, Path(__file__).with_name("nodes-proof.sh"), packages=["office"]),
        UNITS / name: f"{SYSTEM}/{name}",
        **{
            UNITS / f"{kind}.d/watchlink-office.conf": f"/etc/{kind}.d/watchlink-office.conf"
            for kind in ("sysusers", "tmpfiles")
        },
        town.folder: "/town",
        written(folder / "ask.py", ASK): "/ask.py",
        written(folder / "documented.toml", documented()): "/documented.toml",
    }
    return boot(debian_root, folder, mounts, {})


def test_port_is_off_until_somebody_has_written_its_configuration(proof: Proof) -> None:
    assert "inactive\n" == proof.text("unconfigured")


def test_shop_gets_its_keys_by_the_documented_configuration(proof: Proof) -> None:
    answer = decode_answer((proof.folder / "answer").read_bytes())

    assert content_key(FACE) == opened(answer, SHOP)[1].photograph, proof.text("log")


def test_shop_that_is_struck_while_it_waits_is_cut_off(proof: Proof) -> None:
    waiting, again = proof.text("asking").split()[-2:]

    # Had its question not arrived yet, it is refused.
    assert (waiting in {"off", "403"}, again) == (True, "403")


def test_port_sees_none_of_the_folders_that_its_keys_are_in_and_writes_its_own_alone(proof: Proof) -> None:
    assert not (proof.folder / "seen").read_text()
    assert "nodes/state\n" == proof.text("writable")
    assert PHOTOGRAPHS_KEY.hex() not in proof.text("log")


def test_what_nodes_have_reported_is_for_the_pages_to_read(proof: Proof) -> None:
    assert "watchlink-office-nodes watchlink-office 640\n" == proof.text("store")
    assert "success\n" == proof.text("result")
