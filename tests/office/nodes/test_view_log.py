"""View logs come to the port over real TLS: all of them are kept, a copied card shows, and no node fills the disk."""

from __future__ import annotations

import json

import pytest

from office.nodes import app
from office.nodes.reading import Search, look_at
from office.nodes.rules.allowance import VIEWS_AT_ONCE
from office.nodes.store import FILE_NAME, Store, StoreError
from tests.support.asking_town import HART, OTHER_SHOP, PUB_WATCH, SHOP, TOWN, Entry, PortThread, sender
from tests.support.fleet_broker import wait_until
from wire.gallery_contact import Held
from wire.gallery_paths import VIEWS_PATH
from wire.gallery_views import VIEWS_MAX, ViewHead, ViewRecord, head_of, no_views, write_view
from wire.ids import NodeId


def test_views_are_kept_and_a_copied_card_shows(port: PortThread, caplog: pytest.LogCaptureFixture) -> None:
    start = no_views(TOWN, SHOP)
    first = write_view(ViewRecord(n=1, at_s=1, kind="list", before=start.digest))
    second = write_view(ViewRecord(n=2, at_s=2, kind="person", case=1, before=first.digest))
    other = write_view(ViewRecord(n=2, at_s=2, kind="person", case=9, before=first.digest))
    shop = port.unit()
    shop.asks(views=start)

    status, body = shop.request("POST", VIEWS_PATH, first.data + b"\n" + second.data + b"\n")
    assert (200, {"n": 2, "digest": head_of(second).digest}) == (status, json.loads(body))
    assert [] == port.facts("view log fork")
    assert "fork" == shop.problem("POST", VIEWS_PATH, other.data + b"\n")
    assert [2] == [fact["n"] for fact in port.facts("view log fork")]
    assert "says on the page of galleries that it was broken" in caplog.text
    assert "malformed" == shop.problem("POST", VIEWS_PATH, b"{}")


def test_unit_is_told_which_of_its_views_are_here(port: PortThread) -> None:
    """It may have lost its note of it."""
    start = no_views(TOWN, SHOP)
    first = write_view(ViewRecord(n=1, at_s=1, kind="list", before=start.digest))
    shop = port.unit()
    assert 200 == shop.request("POST", VIEWS_PATH, first.data + b"\n")[0]

    assert head_of(first) == shop.asks(views=head_of(first)).views_received
    assert None is port.unit(OTHER_SHOP).asks().views_received


def test_shop_that_changes_scheme_leaves_its_looks_with_the_old_one(port: PortThread) -> None:
    start = no_views(TOWN, SHOP)
    first = write_view(ViewRecord(n=1, at_s=1, kind="list", before=start.digest))
    second = write_view(ViewRecord(n=2, at_s=2, kind="list", before=first.digest))
    third = write_view(ViewRecord(n=3, at_s=3, kind="list", before=second.digest))
    shop = port.unit()
    holds = Held(scheme=HART, number=port.publish(HART, [Entry(1)]))
    shop.asks(holds, views=start)

    port.town.list(sender(SHOP, (PUB_WATCH,), 1), sender(OTHER_SHOP, (HART,), 2))
    port.wait_for_directory(port.town.serial)
    shop.asks(holds, views=start)
    assert 200 == shop.request("POST", VIEWS_PATH, first.data + b"\n")[0]
    shop.ask(views=head_of(second))
    port.wait_for_question(SHOP)
    assert 200 == port.unit().request("POST", VIEWS_PATH, second.data + b"\n" + third.data + b"\n")[0]

    with look_at(port.town.folder / "nodes/state" / FILE_NAME) as reported:
        found = [[one.n for one in reported.views(Search(schemes=frozenset({scheme})))] for scheme in (HART, PUB_WATCH)]
    assert [[2, 1], [3]] == found


def test_copied_card_shows_by_where_its_log_has_come_to(port: PortThread) -> None:
    port.unit().asks(views=no_views(TOWN, SHOP))
    port.unit().ask(views=ViewHead(n=0, digest="ab" * 32))

    wait_until(lambda: bool(port.facts("view log fork")), "it is told")


def test_node_that_sends_views_without_end_fills_no_disk(port: PortThread) -> None:
    shop = port.unit()
    batch = b"\n" * VIEWS_MAX
    for _ in range(VIEWS_AT_ONCE // VIEWS_MAX):
        assert "malformed" == shop.problem("POST", VIEWS_PATH, batch)

    assert "slow down" == shop.problem("POST", VIEWS_PATH, batch)
    assert "malformed" == port.unit(OTHER_SHOP).problem("POST", VIEWS_PATH, batch)


def test_unit_whose_card_broke_is_served_on_once_a_person_has_said_so(port: PortThread) -> None:
    """Until then nobody knows whether the card is broken or copied: no lease is renewed, and no view is taken."""
    number, start = port.publish(HART, [Entry(1)]), no_views(TOWN, SHOP)
    first = write_view(ViewRecord(n=1, at_s=1, kind="list", before=start.digest))
    anew = write_view(ViewRecord(n=1, at_s=9, kind="panel", before=start.digest))
    shop, other = port.unit(), port.unit(OTHER_SHOP)
    assert () == shop.asks(views=start).unproven
    assert 200 == shop.request("POST", VIEWS_PATH, first.data + b"\n")[0]

    assert "fork" == shop.problem("POST", VIEWS_PATH, anew.data + b"\n")
    port.publish(HART, [])
    assert (HART,) == shop.asks(Held(scheme=HART, number=number)).unproven
    assert () == other.asks().unproven

    with look_at(port.town.folder / "nodes/state" / FILE_NAME) as reported:
        (alarm,) = reported.alarms()
    port.employ({}, broken_cards={SHOP: alarm.at_s - 1, OTHER_SHOP: alarm.at_s})
    assert (HART,) == shop.asks(Held(scheme=HART, number=number)).unproven, "that was another alarm"
    port.employ({}, broken_cards={SHOP: alarm.at_s})
    wait_until(lambda: bool(port.facts("view log begins anew")), "the port has taken it over")
    assert 200 == shop.request("POST", VIEWS_PATH, anew.data + b"\n")[0]
    port.publish(HART, [Entry(2)])
    assert () == shop.asks(Held(scheme=HART, number=number), views=head_of(anew)).unproven


def test_broken_card_is_settled_although_the_disk_was_full_when_it_was_said(
    port: PortThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, refused = Store.begin_chain, list[int]()

    def full_once(store: Store, node: NodeId, since_s: int, at_s: int) -> bool:
        if not refused:
            refused.append(node)
            raise StoreError("database or disk is full")
        return begin(store, node, since_s, at_s)

    monkeypatch.setattr(app, "SETTLE_AGAIN_S", 0.01)
    monkeypatch.setattr(Store, "begin_chain", full_once)
    port.unit().asks(views=ViewHead(n=0, digest="ab" * 32))
    with look_at(port.town.folder / "nodes/state" / FILE_NAME) as reported:
        (alarm,) = reported.alarms()
    port.employ({}, broken_cards={SHOP: alarm.at_s})

    wait_until(lambda: bool(port.facts("view log begins anew")), "it is tried again")
    assert [SHOP] == refused
