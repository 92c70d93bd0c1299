"""G5, G7: the unit's own panel, with the real thread, core, card and child that reads photographs."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.core.staff import StaffTold
from gallery.page.keeping import Keeping
from gallery.panel_visits import PanelVisits
from gallery.pictures.marking import Pictures
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_card import Published
from tests.support.gallery_running import ALICE, CODE, PIN, RunningGallery
from wire.gallery_socket import PanelFace, PanelKey, PanelVisit, VisitOver
from wire.gallery_views import read_views

FACE = (Path(__file__).parents[2] / "demo" / "faces" / "nobody-07.jpg").read_bytes()
MONO_BYTES = 64 * 64 // 8


class Panel:
    """The node's side: keys go in, faces come out."""

    def __init__(self, shop: RunningGallery) -> None:
        self.faces: queue.SimpleQueue[PanelFace] = queue.SimpleQueue()
        self.pictures = Pictures()
        self.visits = PanelVisits(shop.running, self.pictures, self.faces.put)
        self.number = 0
        self.visits.start()

    def begin(self) -> PanelFace:
        """▲ on the idle face."""
        self.number += 1
        self.visits.take(PanelVisit(visit=self.number, width_px=64, height_px=64, mode="1"))
        return self.until(lambda face: face.visit == self.number)

    def press(self, *keys: str) -> None:
        """These, in a row."""
        for key in keys:
            self.visits.take(PanelKey(visit=self.number, key=key))  # type: ignore[arg-type]  # of the four

    def type(self, pin: str) -> None:
        """The PIN, and *done*."""
        for digit in pin:
            self.press(*["up"] * (int(digit) + 1), "next")
        self.press("press")

    def until(self, is_it: Callable[[PanelFace], bool]) -> PanelFace:
        """The first face that is so."""
        while not is_it(face := self.faces.get(timeout=DEADLINE_S)):
            pass
        return face

    def end(self) -> None:
        """In order."""
        assert self.visits.stop()
        self.pictures.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RunningGallery]:
    shop = RunningGallery(tmp_path / "card").start()
    yield shop
    shop.end()


@pytest.fixture
def hart(shop: RunningGallery) -> Published:
    """Nora, with a photograph, and Norman, who came after her; and Alice, who has a PIN."""
    hart = Published().issue(17, "Nora Nobody", FACE).issue(18, "Norman Nobody")
    shop.told(hart)
    shop.until(shop.shows(18, 17))
    shop.arrive(hart)
    shop.until(lambda: bool(shop.people()[1].sizes))
    shop.running.sign_out(shop.sign_in())
    return hart


@pytest.fixture
def panel(shop: RunningGallery, hart: Published) -> Iterator[Panel]:
    assert hart.number
    panel = Panel(shop)
    yield panel
    panel.end()


def sign_in(panel: Panel) -> PanelFace:
    panel.begin()
    panel.press("next")
    panel.type(PIN.text)
    return panel.until(lambda face: "Norman Nobody" in face.lines or bool(face.picture))


def logged(shop: RunningGallery) -> list[tuple[int, int, str]]:
    """Who looked at whom, as what."""
    return [(v.record.staff, v.record.case, v.record.kind) for v in read_views(shop.store.views_after(0))]


def test_panel_shows_a_face_after_the_pin_and_writes_each_look_down(panel: Panel, shop: RunningGallery) -> None:
    first = panel.begin()
    assert (("LOCKED",), ("Gallery: 2 people", "►sign in  ▲fit tablet")) == (first.headline, first.lines)

    panel.press("next")
    panel.type(PIN.text)
    panel.until(lambda face: "Norman Nobody" in face.lines)
    panel.press("next")
    shown = panel.until(lambda face: bool(face.picture))

    assert MONO_BYTES == len(shown.picture)
    assert "View 2" in shown.lines
    assert [(ALICE, 18, "panel"), (ALICE, 17, "panel")] == logged(shop)


def test_wrong_pin_shows_nobody(panel: Panel, shop: RunningGallery) -> None:
    panel.begin()
    panel.press("next")
    panel.type("280341")

    assert ("Wrong PIN", "Try again") == panel.until(lambda face: face.headline == ("SORRY",)).lines
    assert [] == logged(shop)


def test_end_of_a_visit_signs_out(panel: Panel, shop: RunningGallery) -> None:
    sign_in(panel)
    assert 1 == len(shop.running.snapshot().sessions)

    panel.visits.take(VisitOver(visit=panel.number))

    assert panel.until(lambda face: face.is_over).visit == panel.number
    with contextlib.suppress(TimeoutError):
        shop.until(lambda: not shop.running.snapshot().sessions)
    assert not shop.running.snapshot().sessions


def test_page_does_not_lock_the_panel_because_no_browser_watches_it(panel: Panel, shop: RunningGallery) -> None:
    sign_in(panel)
    (session,) = shop.running.snapshot().sessions
    keeping = Keeping()

    assert [] == keeping.overdue([session, "a page"], 0.0)
    assert ["a page"] == keeping.overdue([session, "a page"], 3_600.0)


def test_node_that_is_gone_signs_out(panel: Panel, shop: RunningGallery) -> None:
    sign_in(panel)
    panel.visits.gone()
    shop.until(lambda: not shop.running.snapshot().sessions)


def test_another_visit_is_not_signed_in(panel: Panel, shop: RunningGallery) -> None:
    sign_in(panel)

    assert ("LOCKED",) == panel.begin().headline
    shop.until(lambda: not shop.running.snapshot().sessions)


def test_keys_of_a_visit_that_is_over_do_nothing(panel: Panel) -> None:
    panel.begin()
    panel.visits.take(PanelKey(visit=panel.number + 1, key="next"))
    panel.press("next")

    assert ("_",) == panel.until(lambda face: face.headline != ("LOCKED",)).headline


def test_lifted_ban_is_off_the_panel_at_once(panel: Panel, shop: RunningGallery, hart: Published) -> None:
    sign_in(panel)
    panel.press("next")
    panel.until(lambda face: bool(face.picture))

    shop.told(hart.withdraw(17), staff=None)

    assert not panel.until(lambda face: "Nora" not in str(face.lines) and not face.picture).picture
    panel.until(lambda face: "Norman Nobody" in face.lines)


def test_newcomer_leaves_the_face_that_is_shown(panel: Panel, shop: RunningGallery, hart: Published) -> None:
    sign_in(panel)
    panel.press("next")
    before = panel.until(lambda face: bool(face.picture))

    shop.told(hart.issue(19, "Ned Newcomer"))
    shop.until(shop.shows(19, 18, 17))
    panel.press("press", "press")
    named = panel.until(lambda face: face.lines != before.lines)

    assert "Nora Nobody" in named.lines
    assert before == panel.until(lambda face: face.lines != named.lines)


def test_new_run_of_the_node_gets_the_first_face(panel: Panel) -> None:
    panel.begin()
    panel.visits.gone()
    panel.until(lambda face: face.is_over)
    panel.number = 0

    assert ("LOCKED",) == panel.begin().headline


def test_whoever_is_taken_off_the_list_has_the_panel_taken_away(panel: Panel, shop: RunningGallery) -> None:
    sign_in(panel)

    shop.told_staff(StaffTold(99, "Bob Birch", 1, CODE.text))

    assert panel.until(lambda face: face.is_over).visit == panel.number


def test_photograph_that_is_none_leaves_the_words(panel: Panel, shop: RunningGallery, hart: Published) -> None:
    worse = hart.issue(19, "Nobody Else", b"\xff\xd8 no photograph \xff\xd9" * 40)
    shop.told(worse)
    shop.until(shop.shows(19, 18, 17))
    shop.arrive(worse)
    shop.until(lambda: bool(shop.people()[0].sizes))

    panel.begin()
    panel.press("next")
    panel.type(PIN.text)

    assert "Nobody Else" in panel.until(lambda face: len(face.lines) == 2 and "Nobody Else" in face.lines).lines
