"""Numbers that a restored database takes over from what nodes have seen, while a press is on its way to disk (N2)."""

from __future__ import annotations

from central.core import effects as do
from central.core import events as ev
from central.core.view import Acknowledge
from tests.support.central_town import CORNER, Town, only
from wire.messages import Sync


def test_press_on_its_way_to_disk_is_newer_than_what_nodes_have_seen(town: Town) -> None:
    """With the number it was given before, nodes would take it for old, and show an answer that it made void."""
    town.press(7)
    town.is_disk_slow = True
    town.press(8, incident=7)
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="a" * 32, central_revision=900), is_signed=True))
    town.press(9, incident=7)

    said = town.commit()
    town.is_disk_slow = False
    town.act(Acknowledge("00000010-7"))

    assert [901, 902] == [order.state.revision for order in only(said, do.PublishIncident)]
    assert [903] == [order.state.revision for order in only(town.said, do.PublishIncident)][-1:]
    assert [1, 2, 901, 903] == [entry.entry for entry in town.disk]
