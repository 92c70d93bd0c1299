"""N2, N3: the disk of a real node takes nothing more, and what is pressed goes out all the same (ADR 0018)."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable

import pytest

from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import SHOP, Town
from wire.frames import SignedFrame

pytestmark = pytest.mark.integration

StartNode = Callable[[str], NodeProcess]
StartCentral = Callable[[], CentralStandIn]


def let_write(node: NodeProcess, file_bytes: int) -> None:
    """From now on the kernel refuses to let any of the node's files grow beyond that."""
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))


def press_unsaved(node: NodeProcess, central: CentralStandIn, count: int, button: str = "attack") -> SignedFrame:
    """The next press, which the disk refuses, as central gets it.

    Not twice in a row by one button: it must have been up for a moment, and a busy machine swallows moments.
    """
    node.press(button)
    alert = node.wait_for_fact("unsaved", count)["alert"]
    central.wait_for(lambda: alert in {signed.frame.id.text for signed in central.alerts()}, "the unsaved press")
    return next(signed for signed in central.alerts() if signed.frame.id.text == alert)


def test_press_that_the_disk_refuses_reaches_central_and_is_saved_in_the_same_bytes(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    central, node = start_central(), start_node(SHOP)
    node.press("assist")
    central.wait_for(lambda: bool(central.alerts()), "the press before")
    let_write(node, 0)
    sent = press_unsaved(node, central, 1)
    assert [] == [fact for fact in node.facts if fact["fact"] == "stored" and fact["alert"] == sent.frame.id.text]

    central.receipt(sent.frame)
    node.wait_for_face("received")
    let_write(node, resource.RLIM_INFINITY)
    node.wait_for_fact("stored", alert=sent.frame.id.text)
    node.stop()
    with sqlite3.connect(town.folder(SHOP) / "state" / "node.db") as db:
        rows = db.execute("SELECT data, is_receipted FROM outbox WHERE counter = ?", (sent.frame.counter,)).fetchall()
    db.close()
    assert [(sent.data, 1)] == rows


def test_number_of_an_unsaved_press_is_not_given_again_after_a_kill(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    central, node = start_central(), start_node(SHOP)
    node.press("assist")
    central.wait_for(lambda: bool(central.alerts()), "the press before")
    let_write(node, 0)
    buttons = ("attack", "assist", "attack")
    unsaved = {press_unsaved(node, central, n, button).frame.id.text for n, button in enumerate(buttons, start=1)}
    node.kill()
    with NodeProcess(town.folder(SHOP)) as again:
        again.press("attack")
        assert again.wait_for_fact("stored")["alert"] not in unsaved
