"""What the publisher writes, the machine port passes on, and a node opens: three programs that share files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from office.exclusions import acts
from office.exclusions.models import Case
from office.gallery.line_keys import TextKeys
from office.nodes.answering import Answering
from office.nodes.galleries import Galleries
from office.nodes.outcomes import NodeOutcomes
from office.nodes.rules.asking import Asker
from office.nodes.staff import Staff
from office.nodes.store import Store
from office.people.models import Photograph
from office.people.sealing import Sealing
from office.publisher.gallery_content import SIZES
from runtime.web_connections import Peer
from tests.office.conftest import HART
from tests.office.exclusions.conftest import Town
from tests.office.publisher.gallery_world import GALLERY_KEY, KEY, TOWN, World
from wire.gallery_contact import GalleryQuestion, Held, decode_answer
from wire.gallery_head import ciphertext_file, merge, open_head
from wire.gallery_keys import Holder, LineKeys, open_photograph, open_row, open_text
from wire.gallery_lines import NO_LINES, GalleryLine
from wire.ids import NodeId

PHOTOGRAPHS_KEY = b"p" * 32


class Unit:
    """A node's gallery: what it holds, and what opens of it."""

    def __init__(self, number: int, premises: int) -> None:
        self.key = X25519PrivateKey.generate()
        public = self.key.public_key().public_bytes_raw()
        self.asker = Asker(NodeId(number), premises, frozenset({HART}), public)
        self.connection = Peer(b"", lambda: None)
        self.number, self.lines = 0, NO_LINES
        self.keys: dict[int, LineKeys] = {}

    def ask(self, port: Answering) -> int:
        """One question, and what follows from its answer. Returns the bytes of the answer; 0 = there is no news."""
        holds = (Held(scheme=HART, number=self.number, is_complete=True),)
        port.note_received(self.asker.node, self.connection, holds)
        news = port.news(self.asker, GalleryQuestion(holds=holds))
        if news is None:
            return 0
        body = port.answer(self.asker, news, 1_700_000_000, self.connection)
        (change,) = decode_answer(body).changes
        assert change.after is not None
        held, number = (self.lines, self.number) if change.after else (NO_LINES, 0)
        head = open_head(change.head_bytes, HART, TOWN, (KEY.public,))
        self.lines, self.number = merge(held, number, head, change.line_bytes, change.gone), head.number
        holder = Holder(TOWN, HART, self.asker.node)
        fresh = {row.case: open_row(row, self.lines[row.case], holder, self.key) for row in change.keys}
        self.keys = {
            case: keys
            for case, keys in (self.keys | fresh).items()
            if case in self.lines and (case in fresh or self.lines[case].since <= number)
        }
        return len(body)

    def names(self) -> dict[int, str]:
        """Whom it can show."""
        return {case: open_text(self.lines[case], keys.text, HART).name for case, keys in self.keys.items()}


class Port:
    """The machine port's files, without its sockets."""

    def __init__(self, world: World, folder: Path) -> None:
        text_keys = TextKeys(GALLERY_KEY, TOWN)
        self.galleries = Galleries(world.folder, TOWN, lambda: (KEY.public,), text_keys)
        self.store = Store(folder / "nodes.sqlite3", TOWN)
        self.answering = Answering(
            TOWN,
            self.galleries,
            text_keys,
            PHOTOGRAPHS_KEY,
            self.store,
            outcomes=NodeOutcomes(world.folder),
            staff=Staff(world.folder, GALLERY_KEY),
        )


@pytest.fixture
def port(world: World, tmp_path: Path) -> Iterator[Port]:
    found = Port(world, tmp_path)
    yield found
    found.store.close()


@pytest.fixture
def units(town: Town) -> list[Unit]:
    return [Unit(0x10 + place, premises.pk) for place, premises in enumerate(town.premises)]


def with_face(town: Town, world: World, case: Case) -> Photograph:
    """A photograph, sealed as the pages do."""
    photograph, sealing = world.photograph(town, case), Sealing(world.photographs, PHOTOGRAPHS_KEY)
    photograph.wrapped_key = sealing.new_key(photograph.file)
    photograph.save()
    for size in SIZES:
        sealing.write(photograph.file, photograph.wrapped_key, size, f"a JPEG, {size}".encode())
    return photograph


def faces(world: World, line: GalleryLine, keys: LineKeys) -> list[bytes]:
    assert line.photograph is not None
    assert keys.photograph is not None
    return [
        open_photograph(
            (world.folder / ciphertext_file(one.sha256)).read_bytes(), line.photograph, one, keys.photograph
        )
        for one in line.photographs
    ]


def test_case_goes_from_the_database_to_the_shops_that_may_be_shown_it_and_away_again(
    town: Town, world: World, port: Port, units: list[Unit]
) -> None:
    case, listed = town.case("served"), town.case("served")
    with_face(town, world, case)
    Case.objects.filter(pk=listed.pk).update(scope="listed")
    listed.listed.set([town.premises[1]])
    world.look()
    assert port.galleries.look()
    for unit in units:
        unit.ask(port.answering)
    first, second, *_ = units

    assert [sorted(unit.names()) for unit in units] == [[1], [1, 2], [1], [1]]
    assert [unit.keys[1].here for unit in units] == [True, False, False, False]
    assert second.keys[2].here
    assert faces(world, first.lines[1], first.keys[1]) == [b"a JPEG, small", b"a JPEG, portrait"]
    assert [unit.ask(port.answering) for unit in units] == [0, 0, 0, 0]

    listed.listed.set([town.premises[2]])
    acts.revoke(town.turn(case), "enough")
    world.look()
    port.galleries.look()
    assert all(0 < unit.ask(port.answering) < 1_000 for unit in units)

    assert [sorted(unit.names()) for unit in units] == [[], [], [2], []]
    assert {unit.number for unit in units} == {2}


def test_shop_that_missed_everything_gets_all_of_it_after_a_restart_of_both(
    town: Town, world: World, port: Port, units: list[Unit], tmp_path: Path
) -> None:
    early, late = units[:2]
    gone = town.case("served")
    world.look()
    port.galleries.look()
    early.ask(port.answering)
    acts.revoke(town.turn(gone), "enough")
    kept = town.case("served")
    world.begin()
    world.look()
    (tmp_path / "again").mkdir()
    again = Port(world, tmp_path / "again")
    again.galleries.look()
    for unit in (early, late):
        unit.ask(again.answering)
    again.store.close()

    assert [unit.names() for unit in (early, late)] == [{kept.number: "Nobody Atall"}] * 2
    assert early.lines == late.lines
