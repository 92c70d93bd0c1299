"""A database restored from a backup: what nodes saw of the lost one is asked for, and counted on from (N2)."""

from __future__ import annotations

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import Recall, SeenFrame
from central.core.restored import ENTRIES_MAX
from tests.support.central_town import BAKERY, CORNER, KEYS, Town, only
from wire.answers import frame_digest
from wire.frames import encode
from wire.ids import U32_MAX, FrameId
from wire.messages import ReceiptedFrame, Sync

pytestmark = pytest.mark.finding(4)
NONCE = "a" * 32


def ask(
    town: Town,
    *receipted: tuple[int, str],
    is_signed: bool = True,
    central_counter: int = 0,
    central_revision: int = 0,
    part: int = 1,
    parts: int = 1,
) -> list[do.Effect]:
    """The corner shop's sync, two seconds after the last."""
    frames = tuple(ReceiptedFrame(counter=counter, digest=digest) for counter, digest in receipted)
    sync = Sync(
        boot_id="n1",
        nonce=NONCE,
        receipted=frames,
        central_counter=central_counter,
        central_revision=central_revision,
        part=part,
        parts=parts,
    )
    town.later(2)
    return town.handle(ev.SyncArrived(CORNER, sync, is_signed))


def answer_in(said: list[do.Effect]) -> do.SendSyncAnswer:
    return only(said, do.SendSyncAnswer)[0]


def digest_of(town: Town, counter: int) -> str:
    return frame_digest(encode(town.alert(counter), KEYS[CORNER])).hex()


def test_what_is_receipted_and_not_here_is_named(town: Town) -> None:
    has, has_not = digest_of(town, 7), digest_of(town, 8)
    town.send(town.alert(7))

    said = ask(town, (7, has), (8, has_not))
    assert (8,) == answer_in(said).answer.missing
    assert NONCE == answer_in(said).answer.nonce
    assert 1 == town.rejected()["receipted, and not here", "00000010"]


def test_other_bytes_under_a_receipted_number_are_not_what_was_receipted(town: Town) -> None:
    town.press(7)

    assert (7,) == answer_in(ask(town, (7, "0" * 16))).answer.missing


def test_what_nobody_signed_is_not_asked_for_and_raises_nothing(town: Town) -> None:
    said = ask(town, (8, "0" * 16), is_signed=False, central_counter=500, central_revision=500)

    assert () == answer_in(said).answer.missing
    assert [] == only(said, do.RaiseNumbers)


def test_list_in_parts_is_answered_once_with_all_that_is_missing(town: Town) -> None:
    first = ask(town, (8, "0" * 16), part=1, parts=2)
    second = ask(town, (9, "0" * 16), part=2, parts=2)

    assert [] == only(first, do.SendSyncAnswer)
    assert (8, 9) == answer_in(second).answer.missing


def test_others_who_ask_meanwhile_do_not_shorten_a_list_in_parts(town: Town) -> None:
    ask(town, (8, "0" * 16), part=1, parts=2)
    town.handle(ev.SyncArrived(BAKERY, Sync(boot_id="n2", nonce="b" * 32), is_signed=True))
    second = ask(town, (9, "0" * 16), part=2, parts=2)

    assert [(8, 9)] == [said.answer.missing for said in only(second, do.SendSyncAnswer) if said.node == CORNER]


def test_list_of_which_a_part_was_lost_is_not_answered_as_if_it_were_whole(town: Town) -> None:
    ask(town, (8, "0" * 16), part=1, parts=3)

    assert [] == only(ask(town, (10, "0" * 16), part=3, parts=3), do.SendSyncAnswer)


def test_what_is_on_disk_and_no_longer_remembered_is_not_asked_for_without_end() -> None:
    seen = tuple(SeenFrame(FrameId(CORNER, counter), b"0" * 32, is_late=False) for counter in range(1, 2_101))
    town = Town(Recall(seen=seen))
    digest = (b"0" * 8).hex()

    assert (3_000,) == answer_in(ask(town, (50, digest), (2_050, digest), (3_000, digest))).answer.missing


def test_numbers_go_on_above_what_a_node_has_seen(town: Town) -> None:
    town.press(7)
    said = ask(town, central_counter=4_000, central_revision=900)
    assert [do.RaiseNumbers(4_000, 900)] == only(said, do.RaiseNumbers)
    assert [900] == [order.state.revision for order in only(said, do.PublishIncident)]
    assert 900 == answer_in(said).answer.revision

    assert [] == only(ask(town, central_counter=3_999, central_revision=899), do.RaiseNumbers)
    said = town.press(8, incident=7)
    assert [901] == [order.state.revision for order in only(said, do.PublishIncident)]


def test_what_a_lying_node_has_seen_does_not_drown_what_another_has(town: Town) -> None:
    lie = Sync(boot_id="n2", nonce="b" * 32, central_counter=U32_MAX)
    town.handle(ev.SyncArrived(BAKERY, lie, is_signed=True))

    assert [4_000] == [order.counter for order in only(ask(town, central_counter=4_000), do.RaiseNumbers)]


def test_what_a_run_before_raised_holds_for_the_next() -> None:
    town = Town(Recall(last_entry=900, raised_entry=900))
    said = town.press(7)

    assert [901] == [order.state.revision for order in only(said, do.PublishIncident)]


def test_lying_node_does_not_use_the_numbers_up(town: Town) -> None:
    said = ask(town, central_revision=2**53)

    assert [ENTRIES_MAX] == [order.entry for order in only(said, do.RaiseNumbers)]
    assert [] == only(ask(town, central_revision=2**53), do.RaiseNumbers)
