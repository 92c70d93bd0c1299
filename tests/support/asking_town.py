"""A town whose nodes ask the office's machine port, with galleries as the publisher leaves them."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from office.gallery.holders import Holders, LineHolders, encode_holders, first_holders, holders_file, next_holders
from office.gallery.line_keys import TextKeys
from office.gallery.staff_file import STAFF_FILE, StaffFile, StaffSeal
from office.nodes.answering import holder_text
from office.nodes.app import MachinePort
from office.nodes.config import load_configuration
from office.nodes.rules.asking import Asker
from office.nodes.store import Receipt, Store
from provisioning.certificates import (
    CertificateAuthority,
    IssuedCertificate,
    issue_client_certificate,
    issue_crl,
    issue_server_certificate,
)
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
from tests.support.fleet_broker import DEADLINE_S, wait_until
from wire.directory import Delegation, DirectoryDocument, SchemeEntry, SenderEntry, seal_directory
from wire.gallery_contact import GalleryAnswer, GalleryQuestion, Held, decode_answer, encode_question
from wire.gallery_head import GalleryHead, head_file, lines_file, seal_head
from wire.gallery_keys import Holder, LineKeys, open_row, seal_text
from wire.gallery_lines import EntryText, GalleryLine, Lines, PhotographEntry, parse_lines
from wire.gallery_paths import CONTACT_PATH, REPORTS_PATH
from wire.gallery_proof import PROOF_FILE, GalleryProof, ProvenGallery, seal_proof
from wire.gallery_reports import BreachReport, ReportsTaken, decode_taken, encode_reports
from wire.gallery_staff import StaffEntry
from wire.gallery_views import ViewHead
from wire.ids import NodeId, node_text
from wire.signing import SigningKey
from wire.snapshots import Town
from wire.subjects import NODES, SERVICES

HOST: Final = "127.0.0.1"
HART, PUB_WATCH = 1, 2
SHOP, OTHER_SHOP, PUB = NodeId(0x10), NodeId(0x11), NodeId(0x12)
"""Two shops in HART, at the premises 1 and 2 of the office, and a pub in Pub Watch alone, at premises 3."""
AUTHORITY: Final = SigningKey(b"a" * 32)
OFFICE: Final = SigningKey(b"o" * 32)
TOWN: Final = Town(AUTHORITY.public)
GALLERY_KEY: Final = b"g" * 32
PHOTOGRAPHS_KEY: Final = b"p" * 32
LEASE_S: Final = 7 * 86_400
Listed = Mapping[int, tuple[StaffEntry, ...]]
Settled = Mapping[int, int]
NOTHING: Final[Settled] = MappingProxyType({})


def sealing_key(node: NodeId) -> X25519PrivateKey:
    """A node's own."""
    return X25519PrivateKey.from_private_bytes(node.to_bytes(32, "big"))


def sender(node: NodeId, schemes: tuple[int, ...], premises: int, **more: object) -> SenderEntry:
    """A node as the directory has it."""
    fields: dict[str, Any] = {
        "node": node_text(node),
        "key": SigningKey(node.to_bytes(32, "big")).public.raw,
        "premises": f"Shop {premises}",
        "schemes": schemes,
        "office_premises": premises,
        "sealing_key": sealing_key(node).public_key().public_bytes_raw(),
    }
    return SenderEntry(**(fields | more))


SENDERS: Final = {
    SHOP: sender(SHOP, (HART,), 1),
    OTHER_SHOP: sender(OTHER_SHOP, (HART,), 2),
    PUB: sender(PUB, (PUB_WATCH,), 3),
}


class Entry(msgspec.Struct, frozen=True):
    """A person whom the office shows.

    Attributes:
        case: its number.
        premises: where it may be shown; ``None`` = everywhere in the scheme.
        photograph: a picture's bytes; empty = none.
    """

    case: int
    premises: tuple[int, ...] | None = None
    here: tuple[int, ...] = ()
    photograph: bytes = b""
    name: str = "Nobody Atall"


class AskingTown:
    """Its files, in a folder. Nodes' issuer and services' issuer are below one root.

    Args:
        folder: for them.
        town: for which its office publishes.
    """

    def __init__(self, folder: Path, town: Town = TOWN) -> None:
        self.folder, self.town = folder, town
        self.now = datetime.now(UTC)
        self.root = CertificateAuthority.create_root("Watchlink root of test", self.now)
        self.nodes = self.root.create_issuer(NODES, "nodes-1", self.now)
        self.services = self.root.create_issuer(SERVICES, "services-1", self.now)
        self.certificates: dict[NodeId, IssuedCertificate] = {}
        self.text_keys = TextKeys(GALLERY_KEY, self.town)
        self.serial, self.list_number = 0, 0
        self._galleries: dict[int, dict[int, tuple[Entry, int, GalleryLine]]] = {}
        self._numbers: dict[int, int] = {}
        self._holders: dict[int, Holders] = {}
        (folder / "snapshots").mkdir()
        (folder / "nodes").mkdir()
        own = issue_server_certificate(self.services, [HOST])
        self.write("nodes/server.pem", own.certificate_pem)
        self.write("nodes/server.key", own.key_pem)
        self.write("nodes/ca.pem", self.nodes.certificate_pem)
        self.write("root.pem", self.root.certificate_pem)
        self.write("authority.pub", AUTHORITY.public.raw.hex().encode())
        self.write("nodes/gallery.key", GALLERY_KEY.hex().encode())
        self.write("nodes/photographs.key", PHOTOGRAPHS_KEY.hex().encode())
        self.config = self.write(
            "nodes/nodes.toml", f'[web]\nhost = "{HOST}"\nport = 0\n[town]\nlists_file = "../crl.pem"\n'.encode()
        )
        self.list(*SENDERS.values())
        self.revoke()

    def write(self, name: str, data: bytes) -> Path:
        """A file with that in it, whole or not at all."""
        beside = self.folder / f"{name}.new"
        beside.write_bytes(data)
        return beside.replace(self.folder / name)

    def list(self, *senders: SenderEntry, delegation: Delegation | None = None) -> None:
        """The directory has these, and no others."""
        self.serial += 1
        document = DirectoryDocument(
            serial=self.serial,
            issued_at=self.now,
            schemes=(
                SchemeEntry(number=HART, slug="hart", name="HART"),
                SchemeEntry(number=PUB_WATCH, slug="pubwatch", name="Pub Watch"),
            ),
            senders=senders,
            office_keys=(OFFICE.public.raw,),
            delegation=delegation,
        )
        self.write("directory.json", seal_directory(document, AUTHORITY))

    def strike(self, node: NodeId) -> None:
        """The directory strikes it."""
        others = [one for number, one in SENDERS.items() if number != node]
        self.list(*others, msgspec.structs.replace(SENDERS[node], revoked_at=self.now))

    def revoke(
        self, *serials: int, life: timedelta = timedelta(days=30), by: CertificateAuthority | None = None
    ) -> None:
        """The nodes' list names these."""
        self.list_number += 1
        data = issue_crl(by or self.nodes, set(serials), self.list_number, now=self.now, life=life)
        self.write("crl.pem", issue_crl(self.services, set(), self.list_number, now=self.now) + data)

    def hold(self, scheme: int, nodes: Iterable[NodeId]) -> None:
        """The port has made all rows of a scheme for these nodes before."""
        (self.folder / "nodes/state").mkdir(exist_ok=True)
        with contextlib.closing(Store(self.folder / "nodes/state/nodes.sqlite3", self.town)) as store:
            for node in nodes:
                asker = Asker(node, node, frozenset({scheme}), sealing_key(node).public_key().public_bytes_raw())
                store.note_rows_made(node, scheme, holder_text(asker))

    def employ(self, staff: Listed, open_schemes: tuple[int, ...] = (), broken_cards: Settled = NOTHING) -> None:
        """The office lists these, by premises."""
        file = StaffFile(premises=staff, open_schemes=open_schemes, broken_cards=dict(broken_cards))
        self.write(f"snapshots/{STAFF_FILE}", StaffSeal(GALLERY_KEY).close(file))

    def certificate(self, node: NodeId) -> IssuedCertificate:
        """Of its gallery."""
        if node not in self.certificates:
            self.certificates[node] = issue_client_certificate(self.nodes, f"gallery-{node_text(node)}")
        return self.certificates[node]

    def publish(self, scheme: int, entries: Iterable[Entry]) -> int:
        """A gallery with these. Returns its number."""
        number = self._numbers[scheme] = self._numbers.get(scheme, 0) + 1
        held, new = self._galleries.get(scheme, {}), {}
        for entry in entries:
            before = held.get(entry.case)
            if before is not None and before[0] == entry:
                new[entry.case] = before
            else:
                new[entry.case] = (entry, number, self._line(scheme, number, entry))
        self._galleries[scheme] = new
        lines = Lines.of(line for _, _, line in new.values())
        of_lines = tuple(
            LineHolders(
                case=entry.case,
                premises=entry.premises,
                here=entry.here,
                wrapped_key=_wrapped(entry) if entry.photograph else None,
            )
            for _, (entry, _, _) in sorted(new.items())
        )
        last = self._holders.get(scheme)
        holders = first_holders(scheme, number, of_lines) if last is None else next_holders(last, number, of_lines)
        self._holders[scheme] = holders
        head = GalleryHead(
            scheme=scheme, number=number, made_at=self.now, lines=len(lines), digest=lines.digest, lease_s=LEASE_S
        )
        self.write(f"snapshots/{lines_file(scheme, number)}", lines.data)
        self.write(f"snapshots/{holders_file(scheme, number)}", encode_holders(holders))
        self.write(f"snapshots/{head_file(scheme, number)}", seal_head(head, self.town, OFFICE))
        self.prove(self._numbers)
        return number

    def prove(self, numbers: Mapping[int, int], at: datetime | None = None) -> None:
        """The publisher says that these galleries are in force."""
        proven = tuple(ProvenGallery(scheme=scheme, number=number) for scheme, number in numbers.items())
        proof = GalleryProof(made_at=at or self.now, galleries=proven)
        self.write(f"snapshots/{PROOF_FILE}", seal_proof(proof, self.town, OFFICE))

    def _line(self, scheme: int, number: int, entry: Entry) -> GalleryLine:
        text = EntryText(reference=f"HART-{entry.case:04}", category="theft", name=entry.name)
        photographs: tuple[PhotographEntry, ...] = ()
        if entry.photograph:
            data = ciphertext_of(entry)
            digest = sha256(data).hexdigest()
            self.write(f"snapshots/{digest}.bin", data)
            photographs = (PhotographEntry(size="small", sha256=digest, file_bytes=len(data)),)
        return GalleryLine(
            case=entry.case,
            since=number,
            not_before_s=1_700_000_000,
            not_after_s=int((self.now + timedelta(days=3_650)).timestamp()),
            text=seal_text(text, self.text_keys.of(scheme, entry.case, number), scheme, entry.case, number),
            photograph=_number_of(entry) if entry.photograph else None,
            photographs=photographs,
        )


def content_key(entry: Entry) -> bytes:
    """Of its photograph."""
    return sha256(b"content" + entry.case.to_bytes(8, "big")).digest()


def ciphertext_of(entry: Entry) -> bytes:
    """Of its photograph's small size."""
    nonce = bytes(12)
    about = f"watchlink/1/photograph\n{_number_of(entry)}\nsmall".encode()
    return nonce + ChaCha20Poly1305(content_key(entry)).encrypt(nonce, entry.photograph, about)


def _number_of(entry: Entry) -> str:
    return sha256(b"number" + entry.case.to_bytes(8, "big")).hexdigest()[:32]


def _wrapped(entry: Entry) -> bytes:
    nonce = bytes(12)
    about = f"watchlink/1/photograph\n{_number_of(entry)}\nkey".encode()
    return nonce + ChaCha20Poly1305(PHOTOGRAPHS_KEY).encrypt(nonce, content_key(entry), about)


class Unit:
    """A node's gallery, as far as the port sees it, with one connection at a time."""

    def __init__(
        self, town: AskingTown, port: int, node: NodeId = SHOP, issued: IssuedCertificate | None = None
    ) -> None:
        self.town, self.node = town, node
        issued = issued or town.certificate(node)
        certificate = town.write(f"{issued.serial:x}.pem", issued.certificate_pem)
        key = town.write(f"{issued.serial:x}.key", issued.key_pem)
        self.context = ssl.create_default_context(cafile=str(town.folder / "root.pem"))
        self.context.load_cert_chain(certificate, key)
        self.connection = http.client.HTTPSConnection(HOST, port, timeout=10 * DEADLINE_S, context=self.context)

    def reports(self, *reports: BreachReport) -> ReportsTaken:
        """What the port says to these."""
        status, body = self.request("POST", REPORTS_PATH, encode_reports(reports))
        assert status == 200, (status, body)
        return decode_taken(body)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self.send(method, path, body, headers)
        return self.receive()

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Ask, and do not wait."""
        self.connection.request(method, path, body, headers or {})

    def receive(self) -> tuple[int, bytes]:
        """The answer to what was asked."""
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def ask(
        self, *holds: Held, views: ViewHead | None = None, staff: str | None = None, outcomes: str | None = None
    ) -> None:
        """Say what it holds, and do not wait."""
        question = GalleryQuestion(holds=holds, views=views, staff=staff, outcomes=outcomes)
        self.send("POST", CONTACT_PATH, encode_question(question))

    def told(self) -> GalleryAnswer:
        """The answer to that."""
        return self.received()[0]

    def received(self) -> tuple[GalleryAnswer, int]:
        """The same, and how many bytes it has."""
        status, body = self.receive()
        assert status == 200, (status, body)
        return decode_answer(body), len(body)

    def asks(self, *holds: Held, views: ViewHead | None = None, staff: str | None = None) -> GalleryAnswer:
        """Both."""
        self.ask(*holds, views=views, staff=staff)
        return self.told()

    def problem(self, method: str, path: str, body: bytes = b"") -> str:
        """Why it is refused."""
        status, answer = self.request(method, path, body)
        assert status >= 400, answer
        problem: str = json.loads(answer)["problem"]
        return problem

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


class PortThread:
    """The machine port on a thread: with its socket and TLS, without its process."""

    def __init__(self, town: AskingTown) -> None:
        self.town = town
        self._told = io.StringIO()
        self._program = MachinePort(load_configuration(town.config), FactLog(self._told), Service())
        self._program._web._server.config.timeout_keep_alive = int(10 * DEADLINE_S)  # or the line is shut after 5 s
        self.port = int(self._program.url.rstrip("/").rpartition(":")[2])
        self._units: list[Unit] = []
        self._stopping = StopRequest()
        self._thread = threading.Thread(target=self._program.run, args=(self._stopping,))
        self._thread.start()

    def unit(self, node: NodeId = SHOP, issued: IssuedCertificate | None = None) -> Unit:
        """That asks here."""
        unit = Unit(self.town, self.port, node, issued)
        self._units.append(unit)
        return unit

    def publish(self, scheme: int, entries: Iterable[Entry]) -> int:
        """A gallery with these, which the port has read. Returns its number."""
        number = self.town.publish(scheme, entries)
        wait_until(
            lambda: (one := self._program.galleries.of(scheme)) is not None and one.head.number == number, "it is read"
        )
        return number

    def employ(self, staff: Listed, open_schemes: tuple[int, ...] = (), broken_cards: Settled = NOTHING) -> None:
        """The office lists these, by premises, and the port has read it."""
        self.town.employ(staff, open_schemes, broken_cards)
        wait_until(
            lambda: (
                all((read := self._program.staff.of(one)) and read.entries == staff[one] for one in staff)
                and self._program.staff.open_schemes == set(open_schemes)
                and self._program.staff.broken_cards == broken_cards
            ),
            "it is read",
        )

    def wait_for_directory(self, serial: int) -> None:
        """Until it is read."""
        wait_until(lambda: self._program.directory_serial == serial, "it is read")

    def wait_for_question(self, node: NodeId) -> None:
        """Until it is open."""
        wait_until(lambda: node in self._program.waiting, "the node waits")

    def waits(self, node: NodeId) -> bool:
        """Whether its question is open."""
        return node in self._program.waiting

    def wait_for_proof(self, at: datetime) -> None:
        """Until the publisher's proof of this moment is read."""
        at_s, read = int(at.timestamp()), self._program.galleries
        wait_until(lambda: read.proof is not None and read.proof.at_s == at_s, "it is read")

    def receipts(self) -> tuple[Receipt, ...]:
        """What is kept of what nodes hold."""
        with contextlib.closing(Store(self.town.folder / "nodes/state/nodes.sqlite3", TOWN)) as store:
            return store.receipts()

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Those that were told."""
        return [one for one in map(json.loads, self._told.getvalue().splitlines()) if one["fact"] == name]

    def alarms(self) -> list[str]:
        """What it has said is wrong, one after the other."""
        return [one["alarm"] for one in self.facts("answering nodes")]

    def end(self) -> None:
        """In order."""
        for unit in self._units:
            unit.close()
        self._stopping.set()
        self._thread.join()


@contextlib.contextmanager
def port_thread(town: AskingTown) -> Iterator[PortThread]:
    """A port that is ended in any case, and that a busy machine does not take for a unit that is too slow."""
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr("runtime.web_connections.OWED_WITHIN_S", 10 * DEADLINE_S)
        patient.setattr("office.nodes.answering.SENT_LATELY_S", 10 * DEADLINE_S)
        port = PortThread(town)
        try:
            yield port
        finally:
            port.end()


def opened(answer: GalleryAnswer, node: NodeId, scheme: int = HART) -> dict[int, LineKeys]:
    """The keys that a node gets out of a change, by case."""
    changes = [one for one in answer.changes if one.scheme == scheme]
    assert 1 == len(changes)
    lines = parse_lines(changes[0].line_bytes)
    holder = Holder(TOWN, scheme, node)
    return {row.case: open_row(row, lines[row.case], holder, sealing_key(node)) for row in changes[0].keys}
