"""A gallery's core with its real store, on a folder; and galleries as an office publishes them, with real keys."""

from __future__ import annotations

import os
from collections import deque
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Struct, field

from gallery.arrivals import Arrivals, Parcel, core_lines
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.machine import step
from gallery.core.state import State
from gallery.store.gallery_store import GalleryStore
from gallery.store.orders import StoreOrder, StoreOrders
from runtime.sqlite_file import StoreRefusedError
from wire.gallery_head import GalleryHead
from wire.gallery_keys import Holder, LineKeys, seal_row, seal_text
from wire.gallery_lines import Category, EntryText, GalleryLine, Lines, PhotographEntry
from wire.gallery_views import no_views
from wire.ids import NodeId
from wire.signing import SigningKey
from wire.snapshots import Town

HART: Final = 1
NODE: Final = NodeId(0x10)
AUTHORITY: Final = SigningKey(b"a" * 32)
TOWN: Final = Town(AUTHORITY.public)
KEY: Final = X25519PrivateKey.from_private_bytes(b"k" * 32)
NOW_S: Final = 1_800_000_000
DAY_S: Final = 86_400


class Published(Struct):
    """A scheme's gallery at the office.

    Attributes:
        files: ciphertext by SHA-256, of all that ever was.
    """

    scheme: int = HART
    number: int = 0
    lines: dict[int, GalleryLine] = field(default_factory=dict)
    keys: dict[int, LineKeys] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def issue(
        self,
        case: int,
        name: str = "Nobody Atall",
        photograph: bytes = b"",
        *,
        category: Category = "theft",
        here: bool = False,
        days: tuple[int, int] = (1, 100),
    ) -> Published:
        """A ban begins, or changes; ``days`` ago and for so many more."""
        self.number += 1
        keys = LineKeys(os.urandom(32), os.urandom(32) if photograph else None, here)
        text = EntryText(reference=f"HART-{case:04}", category=category, name=name)
        photographs: tuple[PhotographEntry, ...] = ()
        identity = f"{case:032x}"
        if keys.photograph is not None:
            nonce = os.urandom(12)
            about = f"watchlink/1/photograph\n{identity}\nsmall".encode()
            data = nonce + ChaCha20Poly1305(keys.photograph).encrypt(nonce, photograph, about)
            digest = sha256(data).hexdigest()
            self.files[digest] = data
            photographs = (PhotographEntry(size="small", sha256=digest, file_bytes=len(data)),)
        self.keys[case] = keys
        self.lines[case] = GalleryLine(
            case=case,
            since=self.number,
            not_before_s=NOW_S - days[0] * DAY_S,
            not_after_s=NOW_S + days[1] * DAY_S,
            text=seal_text(text, keys.text, self.scheme, case, self.number),
            photograph=identity if photographs else None,
            photographs=photographs,
        )
        return self

    def withdraw(self, *cases: int) -> Published:
        """Bans are lifted."""
        self.number += 1
        for case in cases:
            del self.lines[case]
        return self

    def parcel(self, node: NodeId = NODE) -> Parcel:
        """As the network hands it over: all of it."""
        lines = Lines.of(self.lines.values())
        holder = Holder(TOWN, self.scheme, node)
        public = KEY.public_key().public_bytes_raw()
        rows = {
            (case, line.since): seal_row(self.keys[case], line, holder, public) for case, line in self.lines.items()
        }
        head = GalleryHead(
            scheme=self.scheme,
            number=self.number,
            made_at=datetime.fromtimestamp(NOW_S, UTC),
            lines=len(lines),
            digest=lines.digest,
            lease_s=30 * DAY_S,
        )
        return Parcel(head, lines, rows)


class CardNode:
    """The core and its card, without a network: what is fetched comes at once.

    Attributes:
        facts: what the core reported.
        fetching: photographs that it wanted.
        successors: later runs on the same card, which the test closes.
    """

    def __init__(self, folder: Path, key: X25519PrivateKey = KEY) -> None:
        self.store = GalleryStore(folder, key)
        self.arrivals = Arrivals()
        self.state = State()
        self.now_ms = 1_000
        self.facts: list[do.ReportFact] = []
        self.fetching: list[str] = []
        self.successors: list[CardNode] = []
        self.asked: do.AskOffice | None = None
        self._orders = StoreOrders(self.store, self.arrivals, lambda pin: b"verifier of " + pin.text.encode())
        self._files: dict[str, bytes] = {}

    def start(self, boot_id: str = "boot 1") -> CardNode:
        """The first event."""
        self.happen(self.store.started(boot_id, no_views(TOWN, NODE)))
        return self

    def told(self, *galleries: Published) -> None:
        """The office answers with all of these, and there are no others."""
        told = []
        for one in galleries:
            parcel = one.parcel()
            self.arrivals.add(parcel)
            self._files |= one.files
            lines, keys = core_lines(parcel.lines), frozenset(parcel.rows)
            told.append(ev.GalleryTold(one.scheme, one.number, parcel.head.lease_s, lines, keys))
        schemes = tuple(ev.SchemeTold(one.scheme) for one in galleries)
        self.happen(ev.OfficeAnswered(self.now_ms, NOW_S, NOW_S + 30 * DAY_S, schemes, tuple(told)))

    def later(self, duration_ms: int) -> None:
        """Time passes."""
        self.now_ms += duration_ms
        self.happen(ev.Ticked())

    def happen(self, event: ev.Event) -> None:
        """One event, and everything that follows from it."""
        events: deque[ev.Event] = deque((event,))
        while events:
            self.state, effects = step(self.state, events.popleft(), self.now_ms)
            for effect in effects:
                answer = self.carry_out(effect)
                if answer is not None:
                    events.append(answer)

    def carry_out(self, effect: do.Effect) -> ev.Event | None:
        """One order; returns what came of it."""
        match effect:
            case do.ReportFact():
                self.facts.append(effect)
            case do.AskOffice():
                self.asked = effect
            case do.FetchPhotographs(digests):
                self.fetching += digests
                if not self._files.keys() >= set(digests):
                    return ev.PhotographsFailed(frozenset(digests), "the office was not asked yet")
                try:
                    for digest in digests:
                        self.store.photographs.keep(digest, self._files[digest])
                except StoreRefusedError as e:
                    return ev.PhotographsFailed(frozenset(digests), str(e))
                return ev.PhotographsStored(frozenset(digests))
            case _ if isinstance(effect, StoreOrder):
                return self._orders.carry_out(effect)
        return None


def all_bytes(folder: Path) -> bytes:
    """Everything that lies in a folder: database, log, photographs."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def write_published(folder: Path, name: str, published: Published) -> None:
    """For a process of its own, which must know the same keys."""
    (folder / f"{name}.json").write_bytes(msgspec.json.encode(published))


def read_published(folder: Path, name: str) -> Published:
    """As it was written."""
    return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=Published)


def take_what_is_new(folder: Path) -> None:
    """The office tells what ``new.json`` says; each statement of the database's is a step, as files are."""
    node = CardNode(folder / "card").start()

    def step_on_the_disk(_statement: str) -> None:
        os.close(os.open(folder, os.O_RDONLY))

    with node.store._work() as db:
        db.set_trace_callback(step_on_the_disk)
    node.told(read_published(folder, "new"))
