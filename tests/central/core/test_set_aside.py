"""Whose alert the rules failed on, so that somebody can ring them."""

from __future__ import annotations

import pytest

from central.core import events as ev
from central.core.journal import ActionEntry, SeenFrame
from central.core.set_aside import parts_of, sender_of
from tests.support.central_town import BAKERY, CORNER, CROWN, START
from wire.ids import FrameId, NodeId
from wire.kinds import Path
from wire.messages import Health, Sync

SEVEN, EIGHT = FrameId(CORNER, 7), FrameId(BAKERY, 8)
SEEN = tuple(SeenFrame(frame_id, b"digest", is_late=False) for frame_id in (SEVEN, EIGHT))


@pytest.mark.parametrize(
    ("what", "sender"),
    [
        (ev.FramesCommitted((SEVEN, EIGHT)), CORNER),
        (ev.FramesKnown(SEEN), CORNER),
        (ev.HealthArrived(CROWN, Health(state="armed", boot_id="n1")), CROWN),
        (ev.SyncArrived(CROWN, Sync(boot_id="n1")), CROWN),
        (ActionEntry(1, "note", EIGHT, None, "words", START), BAKERY),
        (ev.FrameArrived(b"", None, Path.RADIO), None),
        (ev.FramesCommitted(()), None),
        (ev.Ticked(), None),
    ],
)
def test_sender_is_who_sent_it_as_far_as_that_is_known(what: object, sender: NodeId | None) -> None:
    assert sender == sender_of(what)


def test_event_about_several_frames_has_one_part_for_each() -> None:
    assert [ev.FramesCommitted((SEVEN,)), ev.FramesCommitted((EIGHT,))] == list(
        parts_of(ev.FramesCommitted((SEVEN, EIGHT)))
    )
    assert [ev.FramesKnown((seen,)) for seen in SEEN] == list(parts_of(ev.FramesKnown(SEEN)))
    assert () == parts_of(ev.FramesCommitted((SEVEN,))) == parts_of(ev.Ticked())
