"""From the seed on a card to a face on a tablet: claim, gallery, page certificate, TLS. Only the hardware is faked."""

from __future__ import annotations

import contextlib
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from gallery.listeners import HTTP, HTTPS
from node.enrol.command import STATUS_ARMED, enrol
from node.enrol.placing import GALLERY_SOCKET, GALLERY_STATE, GALLERY_USER
from provisioning.fleet import Fleet
from provisioning.office import change_keys
from provisioning.pages import make_page_issuer, make_web_authority
from provisioning.web_authority import spaced
from runtime.web_connections import Listener
from runtime.web_server import listen
from tests.integration.test_claimed_gallery import configured, running_port
from tests.integration.test_gallery_at_the_node import TAP_S, tap
from tests.support.asking_town import GALLERY_KEY, HART, OFFICE, PHOTOGRAPHS_KEY, AskingTown, Entry
from tests.support.enrolling_town import FIRST, HOST, EnrollingTown
from tests.support.enrolment_thread import service_thread
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.gallery_page import face
from tests.support.node_process import NodeProcess
from tests.support.shop_network import shop_network
from tests.support.socket_activation import activated
from wire.gallery_staff import StaffEntry, start_code_check
from wire.printed_codes import code_text
from wire.seed import SEED_FILE, OfficeAddress, encode_seed
from wire.signing import PublicKey
from wire.snapshots import Town

pytestmark = pytest.mark.integration

DOMAIN: Final = "watch.example.org"
PORT: Final = 8444
ALICE: Final = 7
CODE: Final = code_text(b"start code")
PIN: Final = "271828"


@pytest.fixture
def address() -> Iterator[str]:
    """Of the unit, in the shop's network."""
    with shop_network() as address:
        yield address


@pytest.fixture
def ports() -> Iterator[tuple[tuple[str, Listener], ...]]:
    """As systemd opens them."""
    opened = (HTTP, listen("0.0.0.0", 80, is_guarded=True)), (HTTPS, listen("0.0.0.0", 443, has_tls=True))
    yield opened
    for _, one in opened:
        one.close()


class ClaimedShop:
    """A unit with the identity that its seed has brought, and the office that it asks."""

    def __init__(self, folder: Path) -> None:
        fleet = Fleet.init(folder / "town", schemes={"hart": "HART"})
        change_keys(fleet.folder, trust=OFFICE.public.raw)
        self.fleet, self.folder, self.unit = fleet, folder, folder / "unit"
        self.town = EnrollingTown.of(fleet)
        (folder / "office").mkdir()
        publisher = AskingTown(folder / "office", Town(PublicKey(fleet.folder.authority_public().raw)))
        publisher.publish(HART, [Entry(17, name="Nora Nobody", photograph=face(2))])
        alice = StaffEntry(person=ALICE, name="Alice Alder", code=1, code_check=start_code_check(CODE) or "")
        publisher.employ({FIRST: (alice,)})
        self.port_toml = configured(self.town, folder)
        text = self.port_toml.read_text().replace("port = 0", f"port = {PORT}")
        text = text.replace('"snapshots"', f'"{publisher.folder}/snapshots"')
        pages = "".join(
            f'{key} = "pages/{name}.pem"\n' for key, name in (("certificate_file", "pages"), ("root_file", "web-ca"))
        )
        self.port_toml.write_text(f'{text}[pages]\n{pages}key_file = "pages/pages.key"\n')
        for name, key in (("gallery", GALLERY_KEY), ("photographs", PHOTOGRAPHS_KEY)):
            (folder / f"{name}.key").write_text(key.hex())
        self.unit.mkdir()

    def make_web_ca(self, *, is_replacement: bool = False) -> str:
        """As the fleet's commands do; returns the fingerprint that they print."""
        web = make_web_authority(self.fleet.folder, DOMAIN, is_replacement=is_replacement)
        make_page_issuer(self.fleet.folder, self.folder / "pages")
        return spaced(web.fingerprint)

    def claim(self) -> None:
        """Somebody puts the card in. What an image has in places of its own lies in the unit's folder here."""
        seed_file, node_toml = self.unit / SEED_FILE, self.unit / "node.toml"
        with service_thread(self.town) as service:
            seed = replace(self.town.seed(service.port), office=OfficeAddress(host=HOST, port=PORT))
            seed_file.write_bytes(encode_seed(seed))
            assert STATUS_ARMED == enrol(seed_file, node_toml, "1.0", tell=lambda _: None, wait=lambda _: True)
        for file in (node_toml, self.unit / "gallery.toml"):
            text = file.read_text().replace(GALLERY_SOCKET, "gallery.sock").replace(GALLERY_STATE, "gallery-state")
            file.write_text(text.replace(f'user = "{GALLERY_USER}"\n', ""))

    @contextlib.contextmanager
    def running_gallery(self, ports: tuple[tuple[str, Listener], ...]) -> Iterator[None]:
        """With the office's port, until it is found by TLS."""
        command = (sys.executable, "-m", "watchlink.cli", "gallery", "--config", str(self.unit / "gallery.toml"))
        files = [one.fileno() for _, one in ports]
        with (
            running_port(self.port_toml),
            subprocess.Popen(activated(command, ports), pass_fds=files, stdout=subprocess.PIPE, text=True) as program,
        ):
            try:
                assert program.stdout is not None
                assert any('"page_by_tls"' in line for line in program.stdout)
                yield
            finally:
                program.terminate()


@pytest.fixture
def shop(tmp_path: Path, address: str) -> ClaimedShop:
    assert address
    return ClaimedShop(tmp_path)


def read_on_the_panel(node: NodeProcess) -> tuple[str, list[str]]:
    """What to type there, and both ends of the fingerprint, by ▲ alone."""
    board = node.board
    assert board
    shown: list[tuple[str, ...]] = []

    def is_opened() -> bool:
        # A tap opens nothing before the gallery has connected, and the visit before may end by itself meanwhile.
        if board.view.headline != "LOCKED":
            tap(node, "seen")
            with contextlib.suppress(TimeoutError):
                wait_until(lambda: board.view.headline == "LOCKED", "LOCKED", TAP_S)
        return board.view.headline == "LOCKED"

    wait_until(is_opened, "the gallery has the panel")
    shown.append(board.view.lines)
    for headline in ("FIT TABLET", "COMPARE"):
        tap(node, "seen")
        wait_until(lambda wanted=headline: board.view.headline == wanted, headline)  # type: ignore[misc]
        shown.append(board.view.lines)
    begun, ended = shown[2]
    return shown[1][0], [begun.rstrip("…"), ended.lstrip("…")]


def fitted(address: str) -> tuple[str, x509.Certificate]:
    """What ``/fit`` shows and gives to whoever has typed the address alone."""
    page = httpx.get(f"http://{address}", follow_redirects=True, timeout=DEADLINE_S)
    assert f"http://{address}/fit" == str(page.url)
    (fingerprint,) = re.findall(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", page.text.replace("<wbr>", ""))
    der = httpx.get(f"http://{address}/fit/ca.crt", timeout=DEADLINE_S).content
    return fingerprint, x509.load_der_x509_certificate(der)


def until_answer(ask: Callable[[], httpx.Response], is_it: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Ask until the answer is that."""
    answers: list[httpx.Response] = []

    def has_come() -> bool:
        answers.append(ask())
        return is_it(answers[-1])

    wait_until(has_come, "the answer")
    return answers[-1]


def test_tablet_that_trusts_the_towns_web_ca_alone_signs_in_and_sees_a_face(
    shop: ClaimedShop, address: str, ports: tuple[tuple[str, Listener], ...]
) -> None:
    shop.make_web_ca()
    shop.claim()
    with shop.running_gallery(ports):
        _, root = fitted(address)
        trusting = ssl.create_default_context(cadata=root.public_bytes(Encoding.PEM).decode())
        headers = {"origin": f"https://{address}", "x-watchlink": "1"}
        with httpx.Client(
            base_url=f"https://{address}", verify=trusting, headers=headers, timeout=DEADLINE_S
        ) as tablet:
            code = {"person": ALICE, "secret": CODE, "is_start_code": True}
            until_answer(lambda: tablet.post("/sign-in", json=code), lambda one: one.json()["outcome"] == "choose-pin")
            assert "open" == tablet.post("/pin", json={"pin": PIN}).json()["outcome"]
            page = until_answer(lambda: tablet.get("/"), lambda one: "card.jpg" in one.text)
            assert "Nora Nobody" in page.text
            (card,) = set(re.findall(r"/people/[0-9/]+/card\.jpg", page.text))
            # It is made within five seconds, or the page asks again.
            picture = until_answer(lambda: tablet.get(card), lambda one: one.status_code != HTTPStatus.NOT_FOUND)
            assert (200, "image/jpeg", b"\xff\xd8") == (
                picture.status_code,
                picture.headers["content-type"],
                picture.content[:2],
            )
            session = dict(tablet.cookies)

        # The same without encryption, and as a tablet that does not trust the town.
        with httpx.Client(base_url=f"http://{address}", cookies=session, timeout=DEADLINE_S) as plain:
            own = {"origin": f"http://{address}", "x-watchlink": "1"}
            signed_in = plain.post("/sign-in", json={"person": ALICE, "secret": PIN}, headers=own)
            assert [403, 403, 403] == [one.status_code for one in (signed_in, plain.get(card), plain.get("/status"))]
            assert "without encryption" in signed_in.text
        with pytest.raises(httpx.ConnectError, match="verify failed"):
            httpx.get(f"https://{address}/", timeout=DEADLINE_S)


def test_panel_and_page_show_the_fingerprint_that_the_fleet_printed_and_of_another_ca_another(
    shop: ClaimedShop, address: str, ports: tuple[tuple[str, Listener], ...]
) -> None:
    printed = [shop.make_web_ca()]
    shop.claim()
    with NodeProcess(shop.unit) as node:
        for _ in range(2):
            with shop.running_gallery(ports):
                wait_until(lambda: "gallery.sock" in {one.name for one in shop.unit.iterdir()}, "the node listens")
                fingerprint, root = fitted(address)
                typed, (begun, ended) = read_on_the_panel(node)
            assert printed[-1] == fingerprint
            assert root.fingerprint(hashes.SHA256()).hex(":").upper() == fingerprint
            assert f"{address}/fit" == typed
            assert (begun, ended) == (fingerprint[:20], fingerprint[-20:])
            # As docs/web-certificates.md says it for a stolen key.
            printed.append(shop.make_web_ca(is_replacement=True))
            (shop.unit / "gallery-state/page/page.pem").unlink()
    assert 3 == len(set(printed))
