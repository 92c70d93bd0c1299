"""Two cards with one identity take the link from each other, and each says so (N11)."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import SHOP, Town
from wire.ids import parse_node

pytestmark = [pytest.mark.integration, pytest.mark.finding(10)]


def test_copied_card_is_told_by_both_units_and_to_central(
    town: Town, start_node: Callable[[str], NodeProcess], start_central: Callable[[], CentralStandIn]
) -> None:
    """A press at either is sent all the same, in one of the moments in which its unit has the link."""
    copy = town.folder(SHOP).parent / "copy"
    shutil.copytree(town.folder(SHOP), copy)
    central, first = start_central(), start_node(SHOP)

    def is_told() -> bool:
        faults = [fault.part for health in central.health(parse_node(SHOP)) for fault in health.faults]
        return "identity" in faults

    with NodeProcess(copy) as second:
        central.wait_for(is_told, "a fault of the identity")
        for node in (first, second):
            node.wait_for_face("duplicate")
        second.press("assist")
        central.wait_for(lambda: bool(central.alerts()), "the alert of the second unit")
