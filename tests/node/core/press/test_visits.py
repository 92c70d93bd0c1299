"""G5: the panel is lent to the gallery, and any alert takes it back (N3, N4, N5)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import CancelDraft, Effect, StoreFrame, TellGallery
from node.core.events import GalleryCame, PanelFaceCame
from node.core.press.visits import IDLE_MS
from node.core.screens import Dots, Face, PictureMode, Place
from tests.support.node_world import World
from wire.gallery_socket import PanelKey, PanelVisit, VisitOver
from wire.ids import NodeId
from wire.kinds import AlertKind

BOOTS = NodeId(0x11)
PLACE = Place(64, 64, PictureMode.MONO)
PIXELS = bytes(PLACE.bytes_count)
LINES = ("HART-0042", "Banned to", "03 Nov 27", "View 7")


@pytest.fixture
def lent(world: World) -> World:
    """A node with a panel for pictures, and a gallery that is there."""
    return with_gallery(world)


def with_gallery(world: World) -> World:
    world.state.settings = replace(world.state.settings, has_gallery=True, picture_place=PLACE)
    world.do(GalleryCame(is_here=True))
    return world


def told(world: World, effects: list[Effect]) -> list[object]:
    lines = [order.line for order in world.of(TellGallery, effects)]
    return [line for line in lines if isinstance(line, PanelVisit | PanelKey | VisitOver)]


def begun(world: World) -> World:
    assert [PanelVisit(visit=1, width_px=64, height_px=64, mode="1")] == told(world, world.tap(Button.SEEN))
    return world


def shown(world: World) -> World:
    begun(world).do(PanelFaceCame(1, lines=LINES, pixels=PIXELS))
    return world


def test_press_of_seen_on_the_idle_face_begins_a_visit(lent: World) -> None:
    begun(lent)
    assert (Face.GALLERY, ("GALLERY",)) == (lent.screen.face, lent.screen.headline)

    lent.do(PanelFaceCame(1, ("LOCKED",), ("Gallery: 31 people", "►to sign in")))
    assert (("LOCKED",), ("Gallery: 31 people", "►to sign in")) == (lent.screen.headline, lent.screen.lines)


def test_picture_stands_on_the_panel_with_its_lines(lent: World) -> None:
    picture = shown(lent).screen.picture

    assert picture is not None
    assert (PLACE, PIXELS, LINES) == (picture.place, picture.pixels, picture.lines)


def test_buttons_are_the_gallerys_keys_and_press_nothing_else(lent: World) -> None:
    begun(lent)
    effects: list[Effect] = []
    for button in (Button.SEEN, Button.RESPONDING, Button.TEST, Button.CANCEL):
        effects += lent.tap(button)

    assert ["up", "next", "press", "back"] == [line.key for line in told(lent, effects) if isinstance(line, PanelKey)]
    assert [] == lent.of(StoreFrame, effects), "no test was sent"


def test_cancel_held_ends_the_visit(lent: World) -> None:
    effects = shown(lent).hold(Button.CANCEL)

    assert [VisitOver(visit=1)] == told(lent, effects)
    assert Face.READY is lent.screen.face


def test_cancel_in_a_visit_that_a_silent_attack_left_there_takes_the_attack_back(lent: World) -> None:
    """N6: the panel looks as if CANCEL could mean the visit alone."""
    lent.state.settings = replace(lent.state.settings, is_attack_silent=True)
    shown(lent).hold(Button.ATTACK)
    lent.do(lent.receipt(1))

    effects = lent.hold(Button.CANCEL)

    assert [VisitOver(visit=1)] == told(lent, effects)
    assert [1] == [
        order.content.incident for order in lent.of(StoreFrame, effects) if isinstance(order.content, CancelDraft)
    ]


@pytest.mark.parametrize(("button", "kind"), [(Button.ATTACK, AlertKind.ATTACK), (Button.ASSIST, AlertKind.ASSIST)])
def test_alert_of_ours_has_the_panel_at_once(lent: World, button: Button, kind: AlertKind) -> None:
    shown(lent)
    effects = lent.hold(button)

    assert [kind] == [alert.kind for alert in lent.alerts_on_disk()]
    assert [VisitOver(visit=1)] == told(lent, effects)
    assert lent.screen.picture is None


def test_neighbours_alert_has_the_panel_at_once(lent: World) -> None:
    shown(lent)
    effects = lent.do(lent.alert_from(BOOTS, 5))

    assert [VisitOver(visit=1)] == told(lent, effects)
    assert Face.NEIGHBOUR is lent.screen.face


def test_no_visit_begins_before_somebodys_alert(lent: World) -> None:
    lent.do(lent.alert_from(BOOTS, 5))

    assert [] == told(lent, lent.tap(Button.SEEN))
    assert Face.NEIGHBOUR is lent.screen.face


def test_silent_attack_changes_nothing_on_the_panel_but_the_dots(lent: World) -> None:
    """N4: whoever watches the screen sees the face that was there."""
    lent.state.settings = replace(lent.state.settings, is_attack_silent=True)
    before = shown(lent).screen

    effects = lent.hold(Button.ATTACK)

    assert [] == told(lent, effects)
    assert (before.picture, Dots.SAVED) == (lent.screen.picture, lent.screen.dots)


def test_no_visit_begins_during_a_silent_attack(lent: World) -> None:
    lent.state.settings = replace(lent.state.settings, is_attack_silent=True)
    lent.hold(Button.ATTACK)

    assert [] == told(lent, lent.tap(Button.SEEN))


def test_visit_that_nobody_uses_ends(lent: World) -> None:
    shown(lent)
    assert [] == told(lent, lent.after(IDLE_MS - 1_000))

    assert [VisitOver(visit=1)] == told(lent, lent.after(1_000))
    assert Face.GALLERY is not lent.screen.face


def test_gallery_that_is_gone_leaves_nothing_on_the_panel(lent: World) -> None:
    shown(lent).do(GalleryCame(is_here=False))

    assert Face.READY is lent.screen.face
    assert [] == told(lent, lent.tap(Button.SEEN))


@pytest.mark.parametrize("pixels", [b"\0", PIXELS + b"\0"], ids=["short", "long"])
def test_picture_of_another_size_is_left_out(lent: World, pixels: bytes) -> None:
    begun(lent).do(PanelFaceCame(1, lines=LINES, pixels=pixels))

    assert lent.screen.picture is None
    assert 1 == lent.state.rejected["gallery picture"]


def test_face_of_a_visit_that_is_over_is_left_out(lent: World) -> None:
    shown(lent).hold(Button.CANCEL)
    lent.do(PanelFaceCame(1, lines=LINES, pixels=PIXELS))
    assert Face.READY is lent.screen.face

    lent.tap(Button.SEEN)
    lent.do(PanelFaceCame(1, lines=LINES, pixels=PIXELS))
    assert lent.screen.picture is None, "it is the second visit now"


def test_gallery_may_end_the_visit(lent: World) -> None:
    effects = shown(lent).do(PanelFaceCame(1, is_over=True))

    assert ([], Face.READY) == (told(lent, effects), lent.screen.face)


def test_node_without_a_gallery_begins_none(world: World) -> None:
    world.state.settings = replace(world.state.settings, picture_place=PLACE)

    assert [] == told(world, world.tap(Button.SEEN))
    assert Face.READY is world.screen.face
