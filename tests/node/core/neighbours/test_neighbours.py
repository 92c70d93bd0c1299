"""N5, N13: other members' alerts, from their bytes to our panel; and what our two buttons say of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.core.controls import Button, Part, SoundPattern
from node.core.effects import KeepSeen, PlaySound, ResponseDraft, ShowScreen, StoreFrame
from node.core.events import (
    DirectoryReceived,
    FrameReceived,
    PartFailed,
    PartRecovered,
    ScreenShown,
    Ticked,
)
from node.core.neighbours.alerts import ACTIVE_MAX, order_of
from node.core.screens import Emphasis
from tests.support.node_world import World
from wire.frames import Response
from wire.ids import FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, AlertKind, MemberResponse, Path, Priority
from wire.messages import SyncAnswer

OURS, BOOTS, CAFE, PUB, THIEF = (NodeId(n) for n in range(0x10, 0x15))
OPENED = FrameId(BOOTS, 5)


def test_alert_is_shown_inverted_with_place_time_and_the_two_buttons(world: World) -> None:
    done = world.do(world.alert_from(BOOTS, 5))

    assert ("neighbour", ("ATTACK",)) == (world.face, world.screen.headline)
    assert ("Boots, Gallowtree Ga…", "14:32 ▲Seen ►Coming") == world.screen.lines
    assert (Emphasis.INVERTED, OPENED.text) == (world.screen.emphasis, world.screen.concerns)
    assert [PlaySound(SoundPattern.ATTACK)] == world.of(PlaySound, done)
    assert [OPENED.text] == world.shown()


def test_place_is_shown_whole_where_it_fits(world: World) -> None:
    sender = world.sender(NodeId(0x20), "Spar", "High St", 1)
    world.do(DirectoryReceived(world.directory(2, spar=sender), b"sealed"), world.alert_from(NodeId(0x20), 1))

    assert "Spar, High St" == world.screen.lines[0]


@pytest.mark.parametrize(
    ("one", "other", "place", "said"),
    [
        ("Barclays Bank", "Barclaycard", "Abington Street", "Barclays Bank, Abing…"),
        ("Corner Bakery", "Corner Shop", "Buttermarket", "Corner Bakery, Butte…"),
        ("The Royal Oak Hotel", "Royal Standard", "Gallowtree Gate", "The Royal Oak Hotel"),
        ("Boots Opticians", "Boots the Chemist", "Abington Street", "Boots O…, Abington St"),
    ],
)
def test_two_premises_of_a_street_never_read_the_same(
    world: World, one: str, other: str, place: str, said: str
) -> None:
    """N5: nobody must run to the wrong door."""
    senders = {
        "one": world.sender(NodeId(0x20), one, place, 1),
        "other": world.sender(NodeId(0x21), other, place, 1),
    }
    world.do(DirectoryReceived(world.directory(2, **senders), b"sealed"), world.alert_from(NodeId(0x20), 1))

    assert said == world.screen.lines[0]


def test_panel_goes_before_the_disk(world: World) -> None:
    """N5: fan-out is measured at the panel; the inbox row may follow."""
    done = world.do(world.alert_from(BOOTS, 5))

    assert type(done[0]) is ShowScreen
    assert [None, Priority.P1] == [order.shown for order in world.of(KeepSeen, done)]


def test_shown_is_said_once_and_after_the_panel_confirmed(world: World) -> None:
    world.panel_answers = False
    world.do(world.alert_from(BOOTS, 5))
    assert [] == world.shown()

    done = world.do(*2 * [ScreenShown(OPENED.text, "neighbour", Priority.P1)])
    assert [OPENED.text] == world.shown()
    assert isinstance(done[0], KeepSeen), "durable before it is said"


@pytest.mark.parametrize(
    "event", [ScreenShown("", "ready"), ScreenShown("00000011-5", "ready"), ScreenShown("nonsense", "neighbour")]
)
def test_other_screens_are_not_taken_for_it(world: World, event: ScreenShown) -> None:
    world.panel_answers = False
    world.do(world.alert_from(BOOTS, 5), event)

    assert [] == world.shown()


def test_dead_panel_claims_nothing_and_shows_it_when_it_is_back(world: World) -> None:
    world.do(PartFailed(Part.OLED, "no ack on the bus"), world.alert_from(BOOTS, 5))
    assert [] == world.shown()

    done = world.do(PartRecovered(Part.OLED))
    assert ["neighbour"] == [order.screen.face for order in world.of(ShowScreen, done)]
    assert [OPENED.text] == world.shown()


def test_repetition_is_shown_once(world: World) -> None:
    event = world.alert_from(BOOTS, 5)
    done = world.do(event, event, FrameReceived(event.data, None, Path.RADIO))

    assert 1 == len(world.of(ShowScreen, done))
    assert {} == dict(world.state.rejected)


def test_two_frames_with_one_id_are_never_both_shown(world: World) -> None:
    first = world.alert_from(BOOTS, 5, AlertKind.ASSIST)
    world.do(first, world.alert_from(BOOTS, 5, AlertKind.ATTACK), first)

    assert ("ASSIST",) == world.screen.headline
    assert {"id conflict": 1} == dict(world.state.rejected)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_members_are_warned_of_these_kinds_only(world: World, kind: AlertKind) -> None:
    world.do(world.alert_from(BOOTS, 5, kind))

    assert (kind in MEMBERS_WARNED) == (world.face == "neighbour")


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        (AlertKind.ATTACK, "attack"),
        (AlertKind.ASSIST, "assist"),
        (AlertKind.THEFT, "notice"),
        (AlertKind.SIGHTING, "notice"),
    ],
)
def test_sound_is_by_kind_and_ends(world: World, kind: AlertKind, pattern: str) -> None:
    world.do(world.alert_from(BOOTS, 5, kind))
    world.live(61_000)

    assert [pattern, "off"] == [order.pattern for order in world.of(PlaySound, world.log)]


def test_inversion_lasts_a_minute_then_a_frame_then_the_idle_face(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    world.live(59_999)
    assert Emphasis.INVERTED == world.screen.emphasis
    world.live(1)
    assert Emphasis.FRAMED == world.screen.emphasis
    world.live(839_999)
    assert "neighbour" == world.face
    world.live(1)
    assert "ready" == world.face


@pytest.mark.parametrize(("node", "reason"), [(NodeId(0x99), "unknown sender"), (THIEF, "revoked sender")])
def test_strangers_and_the_revoked_are_counted_and_not_shown(world: World, node: NodeId, reason: str) -> None:
    world.do(world.alert_from(node, 5))

    assert "ready" == world.face
    assert {reason: 1} == dict(world.state.rejected)


def test_other_scheme_is_not_ours(world: World) -> None:
    world.do(
        world.alert_from(PUB, 5, schemes=(2,), scheme="pubwatch"), world.alert_from(PUB, 6, schemes=(2,), scheme=None)
    )

    assert "ready" == world.face
    assert {"not our scheme": 2} == dict(world.state.rejected)


def test_forged_and_broken_frames_are_counted_and_harmless(world: World) -> None:
    good = world.alert_from(BOOTS, 5)
    forged = world.alert_from(BOOTS, 6, key=world.key_of(CAFE))
    for data in (forged.data, good.data[:-1], good.data + b"x", b"", good.data[:40]):
        world.do(FrameReceived(data, good.topic, Path.NETWORK))

    assert "ready" == world.face
    assert 5 == sum(world.state.rejected.values())


def test_struck_off_sender_leaves_the_panel(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    revoked = world.sender(BOOTS, "Boots", "", 1, is_revoked=True)
    world.do(DirectoryReceived(world.directory(2, boots=revoked), b"sealed"))

    assert "ready" == world.face


@pytest.mark.parametrize("age_s", [901, 3_600, 86_400 * 3])
def test_late_alert_is_marked_and_quiet(world: World, age_s: int) -> None:
    """N13."""
    done = world.do(world.alert_from(BOOTS, 5, at_s=int(world.wall().timestamp()) - age_s))

    assert world.screen.lines[1].startswith("LATE ")
    assert Emphasis.FRAMED == world.screen.emphasis
    assert [] == world.of(PlaySound, done)
    assert ["shown", "late"] == [fact.fact for fact in world.facts() if fact.alert == OPENED]


def test_alert_of_just_under_a_minute_is_live(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, at_s=int(world.wall().timestamp()) - 60))

    assert Emphasis.INVERTED == world.screen.emphasis


def test_alert_from_the_future_is_shown_with_the_time_it_came_and_counted(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, at_s=int(world.wall().timestamp()) + 86_400))

    assert ("ATTACK", "14:32 ▲Seen ►Coming") == (world.screen.headline[0], world.screen.lines[1])
    assert {"from the future": 1} == dict(world.state.rejected)


def test_alert_of_unknown_time_is_live_with_the_time_it_came(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, at_s=0))

    assert (Emphasis.INVERTED, "14:32 ▲Seen ►Coming") == (world.screen.emphasis, world.screen.lines[1])


def test_upgrade_replaces_the_face_and_sounds_again(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    world.live(20_000)
    done = world.do(world.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5))

    assert (("ATTACK",), "00000011-6") == (world.screen.headline, world.screen.concerns)
    assert [PlaySound(SoundPattern.ATTACK)] == world.of(PlaySound, done)
    assert ["00000011-5", "00000011-6"] == world.shown()
    assert 1 == len(world.state.neighbours)


def test_overtaken_alert_of_an_incident_does_not_come_back(world: World) -> None:
    world.do(world.alert_from(BOOTS, 6, AlertKind.ATTACK, incident=5), world.alert_from(BOOTS, 5, AlertKind.ASSIST))

    assert ("ATTACK",) == world.screen.headline


def test_upgrade_that_only_central_told_of_is_shown(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, AlertKind.ASSIST))
    done = world.do(world.says(BOOTS, 5, kind="attack"))

    assert ("ATTACK",) == world.screen.headline
    assert [PlaySound(SoundPattern.ATTACK)] == world.of(PlaySound, done)
    assert ["00000011-5"] == world.shown()


@pytest.mark.parametrize(
    ("button", "response", "line"),
    [
        (Button.SEEN, MemberResponse.SEEN, "14:32 Seen ►Coming"),
        (Button.RESPONDING, MemberResponse.RESPONDING, "14:32 You: coming"),
    ],
)
def test_button_answers_the_alert_on_display(world: World, button: Button, response: MemberResponse, line: str) -> None:
    world.do(world.alert_from(BOOTS, 5))
    done = world.tap(button)

    assert [ResponseDraft(OPENED, response, (1,))] == [order.content for order in world.of(StoreFrame, done)]
    assert [Response] == [type(signed.frame) for signed in world.published()]
    assert line == world.screen.lines[1]
    assert SoundPattern.OFF == world.of(PlaySound, done)[-1].pattern
    assert Emphasis.FRAMED == world.screen.emphasis

    world.do(world.receipt(1))
    assert 0 == len(world.state.outbox.rows)


def test_seen_then_coming_are_two_responses_and_the_same_again_is_none(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    for button in (Button.SEEN, Button.SEEN, Button.RESPONDING, Button.RESPONDING, Button.SEEN):
        world.tap(button)

    assert [1, 2] == [getattr(signed.frame, "response", None) for signed, _ in world.stored.values()]


def test_response_is_tried_again_when_the_disk_refuses(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    world.disk_full = True
    world.tap(Button.SEEN)
    world.disk_full = False
    world.live(5_000)

    assert [Response] == [type(signed.frame) for signed, _ in world.stored.values()]


def test_button_with_no_alert_does_nothing(world: World) -> None:
    assert [] == world.of(StoreFrame, world.tap(Button.SEEN))


def test_cancel_stops_the_sound_and_says_so(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    done = world.do(world.cancel_from(BOOTS, 6, 5))

    assert "Cancelled by shop" == world.screen.lines[1]
    assert [PlaySound(SoundPattern.OFF)] == world.of(PlaySound, done)
    assert Emphasis.FRAMED == world.screen.emphasis


def test_cancel_that_overtakes_its_alert_is_remembered(world: World) -> None:
    done = world.do(world.cancel_from(BOOTS, 6, 5), world.alert_from(BOOTS, 5))

    assert "Cancelled by shop" == world.screen.lines[1]
    assert [] == world.of(PlaySound, done)


def test_newest_of_two_that_are_as_urgent_comes_first(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    world.after(1_000, world.alert_from(CAFE, 3))

    assert [CAFE, BOOTS] == [neighbour.alert.node for neighbour in sorted(world.state.neighbours, key=order_of)]


@pytest.mark.parametrize(("role", "said"), [("duty-sergeant", "SGT"), ("lord-mayor", "LORD-…")])
def test_role_is_told_to_neighbours_by_its_short_name(world: World, role: str, said: str) -> None:
    """One that only a newer central knows, cut to six places."""
    world.do(world.alert_from(BOOTS, 5), world.says(BOOTS, 5, "answered", answer=world.answer("Jo Li", role)))

    assert f"ANSWERED {said} Jo Li" == world.screen.lines[1]


def test_cancel_stands_when_central_speaks_before_it_has_heard_of_it(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5), world.cancel_from(BOOTS, 6, 5), world.says(BOOTS, 5))

    assert "Cancelled by shop" == world.screen.lines[1]


def test_press_after_the_cancel_stands(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5), world.cancel_from(BOOTS, 6, 5), world.alert_from(BOOTS, 7, incident=5))

    assert "14:32 ▲Seen ►Coming" == world.screen.lines[1]


def test_closing_clears_the_panel_and_the_sound(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    done = world.do(world.says(BOOTS, 5, "closed"))

    assert "ready" == world.face
    assert [PlaySound(SoundPattern.OFF)] == world.of(PlaySound, done)


def test_alert_that_comes_after_its_closing_is_not_shown_but_a_new_press_in_it_is(world: World) -> None:
    world.do(world.says(BOOTS, 5, "closed"), world.alert_from(BOOTS, 5))
    assert "ready" == world.face

    world.do(world.alert_from(BOOTS, 6, incident=5))
    assert "neighbour" == world.face


def test_answer_is_told_to_the_neighbours(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5), world.says(BOOTS, 5, "answered", answer=world.answer("Jo Li")))
    assert "ANSWERED PCSO Jo Li" == world.screen.lines[1]

    world.do(world.says(BOOTS, 5, "on-the-way", revision=2, answer=world.answer("Jaswinder Patel")))
    assert "COMING PCSO J Patel" == world.screen.lines[1]


def test_drill_says_drill(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5, drill=True))

    assert (("DRILL",), "14:32 ATTACK drill") == (world.screen.headline, world.screen.lines[1])


def test_storm_of_neighbours_keeps_the_most_urgent_and_counts_the_rest() -> None:
    world = World()
    senders = {str(n): world.sender(NodeId(n), f"Shop {n}", "", 1) for n in range(0x100, 0x164)}
    world.start(known=world.directory(2, **senders))
    world.online()
    for n in range(0x100, 0x163):
        world.do(world.alert_from(NodeId(n), 1, AlertKind.ASSIST))
    world.do(world.alert_from(NodeId(0x163), 1, AlertKind.ATTACK))

    assert ACTIVE_MAX == len(world.state.neighbours)
    assert 100 - ACTIVE_MAX == world.state.rejected["too many alerts"]
    assert (("ATTACK",), "1 of 64 ▲Seen ►Coming") == (world.screen.headline, world.screen.lines[1])


@pytest.mark.finding(13)
def test_one_sender_does_not_crowd_out_another(world: World) -> None:
    """A stolen node pressed 140 times: an honest attack was dropped from a neighbour's list."""
    world.do(world.alert_from(CAFE, 5))
    for counter in range(100, 240):
        world.do(world.alert_from(BOOTS, counter))
    world.do(world.alert_from(CAFE, 6, kind=AlertKind.ASSIST))

    assert {FrameId(CAFE, 5), FrameId(CAFE, 6)} <= {neighbour.incident for neighbour in world.state.neighbours}


@pytest.mark.finding(13)
def test_full_list_keeps_two_of_each_sender_the_most_urgent_first(world: World) -> None:
    world.do(world.alert_from(CAFE, 5))
    world.do(world.alert_from(BOOTS, 99, kind=AlertKind.ATTACK))
    for counter in range(100, 100 + ACTIVE_MAX - 1):
        world.do(world.alert_from(BOOTS, counter, kind=AlertKind.ASSIST))

    kept = [neighbour.incident for neighbour in world.state.neighbours]
    assert {FrameId(CAFE, 5), FrameId(BOOTS, 99)} <= set(kept)
    assert 2 == sum(incident.node == BOOTS for incident in kept)


def test_alert_missed_while_we_were_off_is_learnt_from_central_and_its_frame_adds_nothing(world: World) -> None:
    answer = SyncAnswer(boot_id="central-1", counter_floor=0, incidents=(world.incident_state(BOOTS, 5),))
    world.do(world.answers(answer), world.alert_from(BOOTS, 5))

    assert [OPENED.text] == world.shown()
    assert {} == dict(world.state.rejected)
    assert 32 == len(world.seen[OPENED][0]), "its bytes are known now"


def test_alert_missed_an_hour_ago_is_late(world: World) -> None:
    state = world.incident_state(BOOTS, 5, opened_at=world.wall() - timedelta(hours=1))
    world.do(world.answers(SyncAnswer(boot_id="central-1", counter_floor=0, incidents=(state,))))

    assert "LATE 13:32 ▲Seen" == world.screen.lines[1]


def test_state_of_another_scheme_or_of_nonsense_is_counted(world: World) -> None:
    world.do(world.says(PUB, 5, scheme="pubwatch"), world.says(BOOTS, 5, kind="tea-break"))

    assert "ready" == world.face
    assert {"not our scheme": 1} == dict(world.state.rejected)


def test_state_that_a_broker_kept_too_long_says_nothing(world: World) -> None:
    world.do(world.says(BOOTS, 5, expires_at=world.wall() - timedelta(minutes=5)))

    assert "ready" == world.face
    assert {"expired": 1} == dict(world.state.rejected)


def test_inbox_forgets_after_two_days_and_not_before(world: World) -> None:
    event = world.alert_from(BOOTS, 5)
    world.do(event)
    for _ in range(2):
        world.now_ms += 24 * 3_600_000 - 1_000
        world.do(event)
        assert () == world.state.neighbours

    for _ in range(2):
        world.now_ms += 24 * 3_600_000
        world.do(Ticked())
    assert 0 == len(world.state.inbox.recent) + len(world.state.inbox.older)
