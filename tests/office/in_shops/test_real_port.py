"""The pages beside the real machine port, which nodes ask over TLS: what they say is seen when a page is loaded."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from pytest_django import Settings

from office.config import BackupTable
from tests.office.in_shops.test_galleries_page import page
from tests.support.asking_town import HART, OTHER_SHOP, AskingTown, Entry, port_thread
from tests.support.fleet_broker import wait_until
from tests.support.view_log import logged
from wire.gallery_contact import Held
from wire.gallery_paths import VIEWS_PATH

pytestmark = pytest.mark.django_db


def test_receipt_and_view_are_seen_at_once(cora: Client, settings: Settings, tmp_path: Path) -> None:
    town = AskingTown(tmp_path)
    settings.OFFICE = SimpleNamespace(
        nodes_file=town.config,
        snapshots_folder=tmp_path / "snapshots",
        inter_font_dir=tmp_path / "none",
        backup=BackupTable(),
    )
    with port_thread(town) as port:
        number = port.publish(HART, [Entry(1)])
        shop, other = port.unit(), port.unit(OTHER_SHOP)
        shop.asks()
        shop.ask(Held(scheme=HART, number=number, is_complete=True))
        wait_until(lambda: "gallery 1 since" in page(cora)[2], "the receipt is seen")
        assert (["Shop 2"], ["Shop 1"]) == page(cora)[:2]
        town.revoke(life=timedelta(seconds=-1))
        wait_until(lambda: "nobody is answered" in page(cora)[2], "the alarm is seen")
        town.revoke()
        wait_until(lambda: "nobody is answered" not in page(cora)[2], "its end is seen")

        (view,) = logged(OTHER_SHOP, (0, 0))
        assert 200 == other.request("POST", VIEWS_PATH, view.data + b"\n")[0]
        answer = cora.get("/galleries/views/", {"number": 1})
        assert ["Shop 2"] == [one.shop for one in answer.context["rows"]]
    # The port has ended, and has tidied up.
    assert "gallery 1 since" in page(cora)[2]
