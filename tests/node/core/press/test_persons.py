"""A breach or a sighting about a person goes a press's own way (N2, N5, N7, N8, G9, G10; ADR 0036)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from msgspec.structs import replace

from node.core.controls import Button, SoundPattern
from node.core.effects import NOTHING_TOLD, Effect, PlaySound, StoreFrame, TellGallery
from node.core.events import AlertAsked, LinkUp
from node.core.panel import gallery_lines
from node.core.screens import Face
from tests.support.members import BOOTS, HART, OURS, PUB, PUBWATCH, directory, sender
from tests.support.node_world import World, node_world
from wire.frames import Alert, Cancel
from wire.gallery_socket import (
    Accepted,
    CentralTime,
    Ended,
    Heard,
    Neighbour,
    NodeLine,
    NodeState,
    NotRaised,
    Progress,
    Refused,
)
from wire.kinds import AlertKind, LeftWhenAsked
from wire.limits import NAME_CHARS_MAX
from wire.messages import SyncAnswer

UNDERSTANDS: Final = SyncAnswer(boot_id="central-1", counter_floor=0, speaks=("person",))
OLD: Final = SyncAnswer(boot_id="central-1", counter_floor=0)


@pytest.fixture
def shop() -> World:
    """A premises of both schemes, with a gallery, and a central that understands."""
    world = node_world(scheme_numbers=(HART, PUBWATCH))
    world.settings = replace(world.settings, has_gallery=True)
    world.__post_init__()
    world.start(known=directory(ours=sender(OURS, "Corner Shop", "High St", HART, PUBWATCH)))
    world.online()
    world.do(world.answers(UNDERSTANDS))
    return world


def asked(number: int = 1, kind: AlertKind = AlertKind.BREACH, person: int = 42, scheme: int = HART) -> AlertAsked:
    left = LeftWhenAsked.NO if kind is AlertKind.BREACH else LeftWhenAsked.NOT_ASKED
    return AlertAsked(f"{number:032x}", kind, scheme, person, left)


def told(world: World, kind: type[NodeLine]) -> list[NodeLine]:
    return [effect.line for effect in world.of(TellGallery, world.log) if isinstance(effect.line, kind)]


def test_breach_is_on_disk_before_it_is_sent_and_names_one_person_of_one_scheme(shop: World) -> None:
    done = shop.do(asked())

    assert isinstance(done[0], StoreFrame)
    frame = shop.alert_on_disk(1)
    assert Alert(OURS, 1, frame.at_s, AlertKind.BREACH, 1, (HART,), about=42, left=LeftWhenAsked.NO) == frame
    assert [frame] == [signed.frame for signed in shop.published()]
    assert [Accepted(request=f"{1:032x}", incident="00000010-1", alert="00000010-1")] == told(shop, Accepted)


def test_panel_says_what_is_true_of_it_as_of_a_press(shop: World) -> None:
    shop.do(asked())
    assert ("SENDING", "BREACH HART-0042") == (shop.screen.headline[0], shop.screen.lines[0])

    shop.do(shop.receipt(1))
    assert "RECEIVED" == shop.screen.headline[0]

    shop.do(shop.ack(1))
    assert "ANSWERED" == shop.screen.headline[0]
    states = [line.state for line in told(shop, Progress) if isinstance(line, Progress)]
    assert ["sending", "received", "answered"] == list(dict.fromkeys(states))
    assert "Answered by PCSO J Patel" == told(shop, Progress)[-1].words  # type: ignore[union-attr]


def test_no_receipt_is_shown_as_not_delivered(shop: World) -> None:
    shop.do(asked())
    shop.live(3_000)

    assert ("NOT", "DELIVERED") == shop.screen.headline
    assert "not-delivered" == told(shop, Progress)[-1].state  # type: ignore[union-attr]


def test_same_request_raises_one_alert_and_is_answered_again(shop: World) -> None:
    shop.do(asked())
    shop.do(asked())

    assert 1 == len(shop.stored)
    assert 2 == len(told(shop, Accepted))


def test_second_breach_of_the_same_person_belongs_to_the_incident_and_a_sighting_does_not(shop: World) -> None:
    for event in (asked(1), asked(2), asked(3, AlertKind.SIGHTING), asked(4, person=43), asked(5, scheme=PUBWATCH)):
        shop.do(event)

    alerts = shop.alerts_on_disk()
    assert [1, 1, 3, 4, 5] == [alert.incident for alert in alerts]
    assert [(HART,), (HART,), (HART,), (HART,), (PUBWATCH,)] == [alert.schemes for alert in alerts]


def test_press_of_a_button_never_joins_an_incident_about_a_person(shop: World) -> None:
    """It goes to all schemes: joined, the other scheme would learn who is excluded here."""
    shop.do(asked())
    shop.hold(Button.ATTACK)

    breach, attack = shop.alerts_on_disk()
    assert (1, 2) == (breach.incident, attack.incident)
    assert ((HART, PUBWATCH), 0) == (attack.schemes, attack.about)


def test_breach_joins_no_press(shop: World) -> None:
    shop.hold(Button.ATTACK)
    shop.do(asked())

    assert [1, 2] == [alert.incident for alert in shop.alerts_on_disk()]


def test_cancel_goes_to_the_one_scheme_that_was_told(shop: World) -> None:
    shop.do(asked())
    shop.hold(Button.CANCEL)

    frame = shop.stored[2][0].frame
    assert isinstance(frame, Cancel)
    assert (1, (HART,)) == (frame.incident, frame.schemes)


def test_cancel_after_a_restart_goes_to_that_scheme_too(shop: World) -> None:
    shop.do(asked())
    shop.restart()
    shop.hold(Button.CANCEL)

    assert isinstance(frame := shop.stored[2][0].frame, Cancel)
    assert (HART,) == frame.schemes


def test_scheme_of_which_the_premises_is_no_member_is_refused(shop: World) -> None:
    world = node_world(scheme_numbers=(HART, PUBWATCH))
    world.start()  # The directory has it in HART alone.
    world.do(asked(1, scheme=PUBWATCH), asked(2, scheme=9))

    assert [NotRaised.SCHEME] * 2 == [line.reason for line in told(world, Refused) if isinstance(line, Refused)]
    assert {} == world.stored


def test_flood_is_refused_and_after_a_while_not_any_more(shop: World) -> None:
    shop.do(*(asked(number, person=number) for number in range(1, 9)))

    assert (5, 3) == (len(shop.stored), len(told(shop, Refused)))
    shop.live(20_000)
    shop.do(asked(20, person=20), asked(21, person=21), asked(8, person=8))
    assert 6 == len(shop.stored), "one more in twenty seconds, and what was refused stays refused"


def test_node_that_is_starting_refuses() -> None:
    world = World()
    world.do(asked())

    assert [NotRaised.NOT_ARMED] == [line.reason for line in told(world, Refused) if isinstance(line, Refused)]


@pytest.mark.parametrize("is_numbered", [True, False], ids=["numbered", "not numbered"])
def test_full_disk_is_told_and_tried_on(shop: World, *, is_numbered: bool) -> None:
    shop.disk_full, shop.is_numbered_unsaved = True, is_numbered
    shop.do(asked())
    assert is_numbered == bool(told(shop, Accepted)) == bool(shop.published()) != bool(told(shop, Refused))

    shop.disk_full = False
    shop.live(6_000)

    assert (1, 42) == (len(shop.stored), shop.alert_on_disk(1).about)
    assert told(shop, Accepted)


def test_old_central_gets_a_plain_breach_in_the_same_one_scheme(shop: World) -> None:
    shop.do(shop.answers(OLD))
    shop.do(asked(), asked(2))

    first, second = shop.alerts_on_disk()
    assert (AlertKind.BREACH, (HART,), 0, LeftWhenAsked.NOT_ASKED) == (
        first.kind,
        first.schemes,
        first.about,
        first.left,
    )
    assert 1 == second.incident, "here it is known that both are about the same person"


def test_central_that_never_answered_gets_a_plain_breach() -> None:
    world = node_world()
    world.start()
    world.do(asked())

    assert 0 == world.alert_on_disk(1).about


def test_what_central_understands_is_remembered_without_a_network(shop: World) -> None:
    shop.live(11_000)
    shop.restart()
    shop.do(asked())

    assert 42 == shop.alert_on_disk(1).about
    assert NOTHING_TOLD.speaks is None


def test_central_that_was_put_back_gets_it_again_without_the_person(shop: World) -> None:
    """It would refuse the frame for ever, and nobody would hear of the breach."""
    shop.do(asked())
    shop.do(shop.answers(OLD))

    again = shop.alert_on_disk(2)
    assert (AlertKind.BREACH, 2, (HART,), 0) == (again.kind, again.incident, again.schemes, again.about)
    assert [(2, again)] == [(c, row.signed.frame) for c, row in shop.state.outbox.rows.oldest()]
    assert "00000010-2" == told(shop, Accepted)[-1].alert  # type: ignore[union-attr]
    assert ("SENDING", "BREACH HART-0042") == (shop.screen.headline[0], shop.screen.lines[0])


def sighted(world: World, counter: int = 5, **more: object) -> Alert:
    at_s = int(world.wall().timestamp())
    return replace(Alert(BOOTS, counter, at_s, AlertKind.SIGHTING, counter, (HART,), about=42), **more)  # type: ignore[arg-type]


def came(world: World, frame: Alert) -> None:
    world.do(replace(world.alert_from(BOOTS, 99), data=world.signed(frame).data))


def test_neighbours_panel_and_gallery_name_the_reference_and_the_premises(shop: World) -> None:
    came(shop, sighted(shop))

    assert ("SIGHTING", "HART-0042") == shop.screen.headline
    assert shop.screen.lines[0].startswith("Boots")
    line = told(shop, Neighbour)[-1]
    assert isinstance(line, Neighbour)
    assert ("00000011-5", "sighting", HART, 42, None, "Boots") == (
        line.incident,
        line.kind,
        line.scheme,
        line.person,
        line.left,
        line.premises,
    )


def test_gallery_is_told_of_a_breach_with_its_answer_and_that_it_is_over(shop: World) -> None:
    came(shop, sighted(shop, kind=AlertKind.BREACH, left=LeftWhenAsked.YES))
    assert "yes" == told(shop, Neighbour)[-1].left  # type: ignore[union-attr]

    shop.do(shop.says(BOOTS, 5, "closed", revision=2, kind="breach"))
    assert [Ended(incident="00000011-5")] == told(shop, Ended)


def test_node_that_missed_the_frame_learns_of_the_person_from_central(shop: World) -> None:
    shop.do(shop.says(BOOTS, 5, kind="breach", revision=2, person=42, left="no"))

    assert ("BREACH", "HART-0042") == shop.screen.headline
    assert (42, "no") == (told(shop, Neighbour)[-1].person, told(shop, Neighbour)[-1].left)  # type: ignore[union-attr]


def test_alert_about_a_person_of_another_scheme_is_not_for_us() -> None:
    world = node_world()
    world.start()
    pub = Alert(PUB, 5, 0, AlertKind.SIGHTING, 5, (PUBWATCH,), about=42)
    world.do(replace(world.alert_from(PUB, 99, scheme="pubwatch"), data=world.signed(pub).data))

    assert () == world.state.neighbours


def test_gallery_learns_centrals_time_only_from_an_answer_to_our_question(shop: World) -> None:
    before = told(shop, CentralTime)
    at = shop.wall() + timedelta(hours=2)
    shop.do(replace(shop.answers(replace(UNDERSTANDS, at=at)), answer=replace(UNDERSTANDS, at=at, nonce="00" * 16)))
    assert before == told(shop, CentralTime) == []

    shop.do(LinkUp())
    shop.do(shop.answers(replace(UNDERSTANDS, at=at)))
    assert [CentralTime(at_s=int(at.timestamp()))] == told(shop, CentralTime)


def test_gallery_is_told_times_of_centrals_frames_alone(shop: World) -> None:
    """A neighbour with a wrong clock must not hide every gallery in town."""
    shop.do(asked())
    came(shop, sighted(shop, at_s=2_000_000_000))
    assert [] == told(shop, Heard)

    shop.do(shop.receipt(1))
    assert [shop.state.gallery.told.heard_s] == [line.at_s for line in told(shop, Heard) if isinstance(line, Heard)]


def test_gallery_is_told_whom_a_press_reaches(shop: World) -> None:
    assert "central" == told(shop, NodeState)[-1].reach  # type: ignore[union-attr]
    shop.at(shop.now_ms + 40_000)
    assert "nobody" == told(shop, NodeState)[-1].reach  # type: ignore[union-attr]


def test_words_of_the_progress_fit_their_line() -> None:
    for _, words in gallery_lines._PROGRESS.values():
        assert len(words) <= NAME_CHARS_MAX


@pytest.fixture
def silent_shop() -> World:
    """A premises whose attacks are silent, with one in progress that central has."""
    world = node_world(is_attack_silent=True)
    world.start()
    world.online()
    world.do(world.answers(UNDERSTANDS))
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    return world


def test_breach_beside_a_silent_attack_is_sent_openly_and_shows_nothing_here(silent_shop: World) -> None:
    """N4: whoever watches the panel learns of neither. Central sees that the breach itself is not silent."""
    before = silent_shop.screen.face
    done = [*silent_shop.do(asked()), *silent_shop.do(silent_shop.receipt(2))]

    assert (False, 42) == (silent_shop.alert_on_disk(2).silent, silent_shop.alert_on_disk(2).about)
    assert before == silent_shop.screen.face
    assert [] == [order for order in done if isinstance(order, PlaySound) and order.pattern is not SoundPattern.OFF]


def report_eight(world: World) -> list[Effect]:
    """Eight breaches, each about somebody else, as fast as they are taken; central has them all."""
    done: list[Effect] = []
    for number in range(1, 9):
        done += [*world.do(asked(number, person=number)), *world.do(world.receipt(number + 1))]
        world.live(20_000)
    return done


def test_silent_attack_stays_hidden_however_many_breaches_follow(silent_shop: World) -> None:
    """N4: pushed out of the view, it would hide and silence nothing any more."""
    before = (silent_shop.screen.face, silent_shop.screen.dots)

    done = report_eight(silent_shop)

    assert before == (silent_shop.screen.face, silent_shop.screen.dots)
    assert [] == [order for order in done if isinstance(order, PlaySound) and order.pattern is not SoundPattern.OFF]


def test_silent_attack_stays_hidden_after_a_restart_too(silent_shop: World) -> None:
    """Also where central understands no persons, so that the disk knows breaches alone."""
    silent_shop.do(silent_shop.answers(OLD))
    report_eight(silent_shop)
    silent_shop.restart()
    silent_shop.online()

    assert (Face.SILENT, (1, *range(3, 10))) == (silent_shop.screen.face, silent_shop.state.recent)


def test_cancel_reaches_assist_after_many_breaches(shop: World) -> None:
    """N6: and the oldest breach leaves instead."""
    shop.tap(Button.ASSIST)
    shop.do(shop.receipt(1))
    report_eight(shop)
    assert (1, *range(3, 10)) == shop.state.recent

    for _ in shop.state.recent:
        shop.hold(Button.CANCEL)

    assert 1 in [frame.incident for signed, _ in shop.stored.values() if isinstance(frame := signed.frame, Cancel)]


def test_cancel_during_a_silent_attack_means_the_attack_and_not_a_report_of_the_gallery(silent_shop: World) -> None:
    """N6: whoever cancels it sees nothing of the breach, and may know nothing of it."""
    silent_shop.do(asked())
    silent_shop.do(silent_shop.receipt(2))

    for _ in range(2):
        silent_shop.hold(Button.CANCEL)

    cancels = [signed.frame for signed, _ in silent_shop.stored.values() if isinstance(signed.frame, Cancel)]
    assert [1, 2] == [frame.incident for frame in cancels]


def test_gallery_learns_whether_central_knows_of_a_cancel(shop: World) -> None:
    shop.do(asked())
    shop.hold(Button.CANCEL)
    assert "Cancelled here. Central not told yet." == told(shop, Progress)[-1].words  # type: ignore[union-attr]

    shop.do(shop.receipt(1), shop.receipt(2))
    assert "Cancelled here. Still open at central." == told(shop, Progress)[-1].words  # type: ignore[union-attr]
