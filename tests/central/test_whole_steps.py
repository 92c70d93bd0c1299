"""A step of the core happens whole or not at all: an exception at any call of it costs no alert and no action."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from central.core import events as ev
from central.core.audience import Reach
from central.core.bulk import Bulk, bulk_for
from central.core.journal import FrameEntry
from central.core.view import Acknowledge, Close, Done, EndDuty, Person, SetOnTheWay, StartDuty
from tests.support.central_steps import Scene, StepRig
from tests.support.central_town import (
    ALL_RIGHTS,
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    JONES,
    KEYS,
    START,
    make_directory,
    opened,
)
from wire import signing
from wire.frames import Alert, Cancel, PathTest, Response, decode, encode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, CancelReason, MemberResponse
from wire.kinds import Path as FramePath
from wire.messages import FaultReport, Health, PendingFrame, RadioReport, Sync
from wire.node_settings import SignedSettings
from wire.snapshots import AuditHead, PolicyEntry, PremisesEntry, Rota, ShiftEntry, StepEntry

pytestmark = [pytest.mark.finding(12), pytest.mark.one_python]

AT_S = int(START.timestamp())


class RememberedKey:
    """A private key that makes each signature once: the next is the same."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.sign = cache(key.sign)
        self.public_key = key.public_key


class RememberedPublicKey:
    """A public key that checks each good signature once."""

    def __init__(self, raw: bytes) -> None:
        self.verify = cache(Ed25519PublicKey.from_public_bytes(raw).verify)

    from_public_bytes = cache(lambda raw: RememberedPublicKey(raw))  # noqa: PLW0108 - not named yet


@pytest.fixture(scope="module", autouse=True)
def _signatures_once() -> Iterator[None]:
    """Each scene is played a hundred times. What calls these libraries fails in its turn as ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "Ed25519PublicKey", RememberedPublicKey)
        for key in KEYS.values():
            patch.setattr(key, "_private", RememberedKey(key._private))
        yield


def alert(counter: int, node: NodeId = CORNER, kind: AlertKind = AlertKind.ATTACK, at_s: int = AT_S) -> Alert:
    return Alert(node, counter, at_s, kind, counter, (1,))


def press(rig: StepRig) -> None:
    rig.send(alert(7))


def press_by_radio(rig: StepRig) -> None:
    rig.send(alert(7), relay=GATEWAY)


def answer(rig: StepRig) -> None:
    rig.act(Acknowledge("00000010-7", "attack"))


def both(*scenes: Scene) -> Scene:
    def play(rig: StepRig) -> None:
        for scene in scenes:
            scene(rig)

    return play


def refuse_a_press(rig: StepRig) -> None:
    rig.refusal = "disk full"
    press(rig)
    rig.refusal = ""


def lose_the_answer_of_the_disk(rig: StepRig) -> None:
    rig.keeps_what_it_refuses = True
    refuse_a_press(rig)


def refuse_an_answer(rig: StepRig) -> None:
    rig.refusal = "disk full"
    answer(rig)
    rig.refusal = ""


def hand_over(rig: StepRig) -> None:
    rig.act(StartDuty(), JONES)
    rig.act(EndDuty(), JONES)


def sync(rig: StepRig) -> None:
    pending = (PendingFrame(counter=7, age_ms=600_000),)
    rig.take(ev.SyncArrived(CORNER, Sync(boot_id="n1", directory_serial=0, pending=pending)))


def health(rig: StepRig) -> None:
    faults = (FaultReport(part="oled", detail="no acknowledgement", age_ms=5),)
    radio = RadioReport(state="ready")
    rig.take(
        ev.HealthArrived(BAKERY, Health(state="armed", boot_id="n2", directory_serial=0, faults=faults, radio=radio))
    )


def change_the_directory(rig: StepRig) -> None:
    data = make_directory(2, revoked=(BAKERY,), has_gateway=True)
    rig.take(ev.DirectoryChanged(opened(data), data))


def just_before_five_minutes(rig: StepRig) -> None:
    rig.core.core._paths.figures._ticks = 299


def begin_an_act_for_many(rig: StepRig) -> None:
    for counter in range(1_000, 1_003):
        rig.send(alert(counter, BAKERY))
    core = rig.core.core
    reach = Reach(frozenset({1, 2}), core.directory)
    bulk = bulk_for(Close("00000011-1000", "Stolen", seen_through=9), JONES, core._incidents, reach)
    assert isinstance(bulk, Bulk)
    core._rest = (bulk,)


def know_people(rig: StepRig) -> None:
    rig.take(ev.PeopleChanged(((0, ALL_RIGHTS), (9, ALL_RIGHTS)), ((9, "J Patel"),)))


def take_a_role(rig: StepRig) -> None:
    rig.take(ev.PeopleChanged(((0, ALL_RIGHTS),)))


def change_the_premises(rig: StepRig) -> None:
    shop = PremisesEntry(premises=70, name="Corner Shop", schemes=(1,), when_going="Dog in the yard")
    rig.take(ev.PremisesChanged((shop,)))


def move_a_unit(rig: StepRig) -> None:
    data = make_directory(2, has_gateway=True, office_premises={CORNER: 70})
    rig.take(ev.DirectoryChanged(opened(data), data))


def begin_duty_with_an_account(rig: StepRig) -> None:
    rig.act(StartDuty(), Person("pcso", "J Patel", 9))


def nothing(_rig: StepRig) -> None:
    return


def know_the_rota(rig: StepRig) -> None:
    step = StepEntry(role="pcso", wait_s=30, ways=("push",))
    policy = PolicyEntry(scheme=1, kinds=("attack",), version=1, steps=(step,))
    ends_at = START + timedelta(hours=1)
    shift = ShiftEntry(role="pcso", scheme=1, account=9, begins_at=START - timedelta(hours=1), ends_at=ends_at)
    head = AuditHead(sequence=1, digest="0" * 64)
    found = Rota(number=1, made_at=START, audit=head, through=ends_at, shifts=(shift,), policies=(policy,))
    rig.take(ev.RotaChanged(found))


def reach_somebody(rig: StepRig) -> None:
    rig.take(ev.WaysChanged(((9, ("push",)),)))


def fail_a_notice(rig: StepRig) -> None:
    rig.take(ev.NoticeEnded(FrameId(CORNER, 7), 1, rig.core.core._entry, 9, "push", is_delivered=False, words="gone"))


def next_second(rig: StepRig) -> None:
    rig.tick()


def crowd_out(rig: StepRig) -> None:
    rig.core.core._incidents.left_open[CORNER] = 1


def alerts_from_disk(rig: StepRig) -> None:
    signed = decode(encode(alert(5), KEYS[CORNER]))
    entry = FrameEntry(
        1, signed, hashlib.sha256(signed.data).digest(), FramePath.NETWORK, START, is_late=False, is_clock_ahead=False
    )
    rig.take(ev.OpenRecalled(CORNER, (entry,), is_all=True))


SCENES: dict[str, tuple[type[ev.Event], Scene, Scene]] = {
    "alert": (ev.FrameArrived, nothing, press),
    "alert-by-radio": (ev.FrameArrived, nothing, press_by_radio),
    "alert-by-the-other-path": (ev.FrameArrived, press, press_by_radio),
    "alert-again": (ev.FrameArrived, press, press),
    "alert-refused": (ev.FrameArrived, nothing, lambda rig: rig.send(Alert(CROWN, 7, AT_S, AlertKind.ATTACK, 7, (1,)))),
    "alert-on-disk": (ev.FramesCommitted, nothing, press),
    "alert-by-radio-on-disk": (ev.FramesCommitted, nothing, press_by_radio),
    "upgrade-on-disk": (ev.FramesCommitted, both(lambda rig: rig.send(alert(6, kind=AlertKind.ASSIST)), answer), press),
    "cancel-on-disk": (
        ev.FramesCommitted,
        press,
        lambda rig: rig.send(Cancel(CORNER, 8, AT_S, 7, CancelReason.MISTAKE, (1,))),
    ),
    "response-on-disk": (
        ev.FramesCommitted,
        press,
        lambda rig: rig.send(Response(BAKERY, 8, AT_S, FrameId(CORNER, 7), MemberResponse.SEEN, (1,))),
    ),
    "early-cancel-on-disk": (
        ev.FramesCommitted,
        lambda rig: rig.send(Cancel(CORNER, 8, AT_S, 7, CancelReason.MISTAKE, (1,))),
        press,
    ),
    "path-test-on-disk": (
        ev.FramesCommitted,
        nothing,
        lambda rig: rig.send(PathTest(CORNER, 8, AT_S, FramePath.RADIO), relay=GATEWAY),
    ),
    "alert-known": (ev.FramesKnown, lose_the_answer_of_the_disk, press),
    "alert-refused-by-the-disk": (ev.CommitFailed, nothing, refuse_a_press),
    "answer-refused-by-the-disk": (ev.CommitFailed, press, refuse_an_answer),
    "answer": (ev.ActionRequested, press, answer),
    "watch": (ev.ActionRequested, nothing, hand_over),
    "answer-on-disk": (ev.ActionCommitted, press, answer),
    "answer-on-disk-by-radio": (ev.ActionCommitted, press_by_radio, answer),
    "on-the-way-on-disk": (ev.ActionCommitted, press, lambda rig: rig.act(SetOnTheWay("00000010-7", "attack"))),
    "close-on-disk": (ev.ActionCommitted, press, lambda rig: rig.act(Close("00000010-7", "False alarm"))),
    "watch-on-disk": (ev.ActionCommitted, nothing, hand_over),
    "second": (ev.Ticked, both(press_by_radio, answer), lambda rig: rig.tick(7)),
    "test-answered-and-closed": (
        ev.Ticked,
        lambda rig: rig.send(alert(7, kind=AlertKind.TEST)),
        both(lambda rig: rig.tick(), lambda rig: rig.tick(180)),
    ),
    "clock-set": (ev.Ticked, both(press_by_radio, hand_over, lambda rig: rig.tick()), lambda rig: rig.tick(3_600)),
    "five-minutes": (ev.Ticked, both(press, just_before_five_minutes), lambda rig: rig.tick(300)),
    "health": (ev.HealthArrived, press, health),
    "sync": (ev.SyncArrived, lambda rig: rig.send(alert(7, at_s=0)), sync),
    "directory": (ev.DirectoryChanged, press, change_the_directory),
    "settings": (
        ev.SettingsChanged,
        nothing,
        lambda rig: rig.take(ev.SettingsChanged((SignedSettings(CORNER, 7, b"sealed", None, ""),))),
    ),
    "directory-refused": (ev.DirectoryRefused, nothing, lambda rig: rig.take(ev.DirectoryRefused("not signed"))),
    "link-up": (ev.LinkUp, nothing, lambda rig: rig.take(ev.LinkUp())),
    "link-down": (ev.LinkDown, lambda rig: rig.take(ev.LinkUp()), lambda rig: rig.take(ev.LinkDown("gone"))),
    "lane": (ev.LaneChanged, nothing, lambda rig: rig.take(ev.LaneChanged(is_proven=True))),
    "rejected": (ev.InputRejected, nothing, lambda rig: rig.take(ev.InputRejected("malformed", CORNER))),
    "disk-trouble": (ev.StoreFailed, nothing, lambda rig: rig.take(ev.StoreFailed("disk full"))),
    "turn": (ev.Resumed, begin_an_act_for_many, lambda rig: rig.take(ev.Resumed())),
    "disk-full": (ev.ReserveChanged, nothing, lambda rig: rig.take(ev.ReserveChanged(is_whole=False))),
    "alerts-from-disk": (ev.OpenRecalled, both(press, crowd_out), alerts_from_disk),
    "people": (ev.PeopleChanged, nothing, know_people),
    "role-gone": (ev.PeopleChanged, both(know_people, begin_duty_with_an_account), take_a_role),
    "role-gone-on-disk": (ev.ActionCommitted, both(know_people, begin_duty_with_an_account), take_a_role),
    "rota": (ev.RotaChanged, both(know_people, press), know_the_rota),
    "ways": (ev.WaysChanged, nothing, reach_somebody),
    "step-due": (ev.Ticked, both(know_people, know_the_rota, begin_duty_with_an_account, press), next_second),
    "step-on-disk": (ev.ActionCommitted, both(know_people, know_the_rota, reach_somebody, press), next_second),
    "notice": (ev.NoticeEnded, both(know_people, know_the_rota, reach_somebody, press, next_second), fail_a_notice),
    "premises": (ev.PremisesChanged, both(press, move_a_unit), change_the_premises),
    "unit-of-a-premises": (ev.DirectoryChanged, both(press, change_the_premises), move_a_unit),
    "disk-well": (ev.StoreRecovered, refuse_a_press, lambda rig: rig.take(ev.StoreRecovered())),
}
"""By name: the event type whose steps fail, what happened before, and what makes it happen."""
BY_ITSELF = {ev.Started}
"""Tested at the start, which has no step before it."""


def play(name: str, fail_at: int) -> StepRig:
    kind, before, happens = SCENES[name]
    rig = StepRig()
    before(rig)
    rig.core.kind, rig.core.fail_at = kind, fail_at
    happens(rig)
    rig.core.kind = None
    return rig


def goes_on(rig: StepRig) -> Iterator[str]:
    """What does not work any more."""
    first, later = rig.send(alert(7, at_s=AT_S)), rig.send(alert(20, kind=AlertKind.ASSIST))
    for frame_id, what in ((first, "the same alert"), (later, "the next alert")):
        if frame_id not in rig.receipts:
            yield f"{what} has no receipt"
        if rig.card(frame_id) is None:
            yield f"{what} has no card"
    if not isinstance(rig.act(Acknowledge(later.text, "assist"), JONES), Done):
        yield "an action is not carried out"
    elif (card := rig.card(later)) is None or card.answered_by != JONES:
        yield "an action is not shown"


def test_every_event_type_has_a_scene() -> None:
    assert set(get_args(ev.Event)) == {kind for kind, _, _ in SCENES.values()} | BY_ITSELF


@pytest.mark.parametrize("name", SCENES)
def test_an_exception_at_any_call_of_a_step_costs_nothing_that_comes_after(name: str) -> None:
    play(name, 0)  # Names that are cleaned once are kept, so the second run is like all that follow.
    normal = play(name, 0).core
    broken = []
    for fail_at in itertools.count(1):
        rig = play(name, fail_at)
        if not rig.core.failed_in:
            break
        where = f"call {fail_at}, {rig.core.failed_in}"
        assert rig.core.kept_of_failed is not None, where
        step, kept = rig.core.kept_of_failed
        assert normal.before[step] == kept, where
        broken += [f"{where}: {what}" for what in goes_on(rig)]

    assert fail_at - 1 == normal.calls > 0
    assert [] == broken
