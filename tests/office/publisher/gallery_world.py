"""Galleries of a test's database, published into a folder of their own."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from office.exclusions.models import Case
from office.gallery.holders import Holders, LineHolders, decode_holders, holders_file
from office.gallery.line_keys import TextKeys
from office.people.models import Photograph
from office.publisher.galleries import GalleryPublishing
from office.publisher.shelf import Shelf
from tests.office.conftest import HART
from tests.office.exclusions.conftest import Town
from wire.gallery_head import GalleryHead, head_file, lines_file, open_head, open_lines
from wire.gallery_keys import open_text
from wire.gallery_lines import GalleryLine, Lines, PhotographEntry
from wire.gallery_proof import PROOF_FILE
from wire.signing import SigningKey
from wire.snapshots import Town as WireTown

KEY = SigningKey(b"o" * 32)
GALLERY_KEY = b"g" * 32
TOWN = WireTown(SigningKey(b"a" * 32).public)


class Entry(Struct, frozen=True):
    """A line as whoever holds its keys sees it."""

    case: int
    since: int
    reference: str
    category: str
    name: str
    not_before_s: int
    not_after_s: int
    premises: tuple[int, ...] | None
    here: tuple[int, ...]
    photograph: str | None
    photographs: tuple[PhotographEntry, ...]


class Gallery(Struct, frozen=True):
    """What is published of a scheme."""

    head: GalleryHead
    lines: Lines
    holders: Holders
    entries: tuple[Entry, ...]

    @property
    def number(self) -> int:
        return self.head.number


class World:
    """Galleries of the test's database, in a folder of their own."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.photographs = tmp_path / "snapshots", tmp_path / "photographs"
        self.folder.mkdir()
        self.photographs.mkdir()
        self.published: list[tuple[str, int]] = []
        self.steps: list[int] = []
        self.gallery_key, self.lease_s = GALLERY_KEY, 7 * 86_400
        self.now_s = 1_000.0
        self.begin()

    def begin(self) -> None:
        """A publisher that has just started."""
        self.shelf = Shelf(self.folder, TOWN, KEY.public)
        self.galleries = GalleryPublishing(
            self.shelf,
            TOWN,
            KEY,
            self.photographs,
            gallery_key=self.gallery_key,
            on_published=lambda name, number: self.published.append((name, number)),
            lease_s=self.lease_s,
            on_step=lambda: self.steps.append(len(self.published)),
            clock_s=lambda: self.now_s,
        )

    def look(self) -> Gallery:
        """Publish; HART's newest."""
        self.galleries.publish(self.galleries.read())
        return self.newest()

    def newest(self, scheme: int = HART) -> Gallery:
        name = f"gallery-{scheme}"
        number = max(number for each, number in self.published if each == name)
        opened = open_head((self.folder / head_file(scheme, number)).read_bytes(), scheme, TOWN, (KEY.public,))
        lines = open_lines((self.folder / lines_file(scheme, number)).read_bytes(), opened)
        holders = decode_holders((self.folder / holders_file(scheme, number)).read_bytes(), scheme, number)
        assert holders.fit(lines)
        entries = tuple(self.entry(scheme, lines[one.case], one) for one in holders.lines)
        return Gallery(opened, lines, holders, entries)

    def entry(self, scheme: int, line: GalleryLine, holders: LineHolders) -> Entry:
        text = open_text(line, TextKeys(self.gallery_key, TOWN).of(scheme, line.case, line.since), scheme)
        return Entry(
            *(line.case, line.since, text.reference, text.category, text.name, line.not_before_s, line.not_after_s),
            *(holders.premises, holders.here, line.photograph, line.photographs),
        )

    def photograph(self, town: Town, case: Case, *, crop: int = 100, shown: bool = True) -> Photograph:
        """One of the person of a case, with its files."""
        name = f"{case.pk + crop:032x}"
        for size in ("small", "portrait"):
            (self.photographs / f"{name}.{size}").write_bytes(f"{name} {size} ciphertext of it".encode())
        return Photograph.objects.create(
            individual=case.individual,
            file=name,
            wrapped_key=b"k",
            original_sha256="0" * 64,
            source="Camera",
            width=1,
            height=1,
            crop_width=crop,
            added_by=town.cora,
            is_shown=shown,
        )

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def galleries_left(self) -> list[str]:
        """Files, but for those that every gallery has beside its head, and the proof."""
        return [name for name in self.files() if not name.endswith((".lines", ".holders")) and name != PROOF_FILE]
