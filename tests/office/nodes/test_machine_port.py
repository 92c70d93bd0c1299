"""Nodes ask over real TLS: who is let in, who is cut off, and what nobody but a shop of the scheme gets."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from office.nodes.answering import Answering
from office.nodes.handlers.contact import SEALED_AT_ONCE
from office.nodes.waiting import Question, Waiting
from provisioning.certificates import CertificateAuthority, issue_client_certificate
from tests.support.asking_town import (
    HART,
    HOST,
    OTHER_SHOP,
    PUB,
    PUB_WATCH,
    SHOP,
    AskingTown,
    Entry,
    PortThread,
    ciphertext_of,
    content_key,
    opened,
    port_thread,
    sender,
)
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.hostile_subjects import NAME, ORGANISATION, signed
from wire.gallery_contact import Held, decode_rows
from wire.gallery_keys import KeyRow
from wire.gallery_paths import CONTACT_PATH, lines_path, photograph_path, rows_path
from wire.ids import NodeId, node_text

ANYBODY, SOMEBODY = Entry(1, photograph=b"a face"), Entry(2)


def held(number: int, scheme: int = HART, *, is_complete: bool = True) -> Held:
    return Held(scheme=scheme, number=number, is_complete=is_complete)


def cut_off(port: PortThread) -> None:
    """The shop's waiting question ends without an answer, and its connection with it."""
    unit = port.unit()
    unit.asks()
    unit.ask()
    port.wait_for_question(SHOP)
    port.town.strike(SHOP)
    with pytest.raises((http.client.HTTPException, OSError)):
        unit.receive()


def test_shop_is_told_the_time_its_lease_and_its_schemes(port: PortThread) -> None:
    answer = port.unit().asks()

    assert ((HART,), ()) == (answer.schemes, answer.changes)
    assert abs(answer.now_s - port.town.now.timestamp()) < 3_600


def test_certificate_of_the_node_itself_opens_no_gallery(port: PortThread) -> None:
    """It is in the button's hands, and the gallery's program has none of it."""
    unit = port.unit(issued=issue_client_certificate(port.town.nodes, node_text(SHOP)))

    assert "other certificate" == unit.problem("POST", CONTACT_PATH)


@pytest.mark.parametrize(
    "subject",
    [
        ((NAME, "gallery-00000010"),),
        ((ORGANISATION, "services"), (NAME, "gallery-00000010")),
        ((NAME, "gallery-00000010"), (ORGANISATION, "node")),
        ((ORGANISATION, "node"), (NAME, "gallery-00000010"), (NAME, "gallery-00000010")),
        ((ORGANISATION, "node"), (NAME, "gallery-00000010,O=node")),
    ],
    ids=["no organisation", "another", "the other way round", "twice", "inside the name"],
)
def test_subject_that_only_resembles_a_gallerys_is_refused(
    port: PortThread, subject: tuple[tuple[str, str], ...]
) -> None:
    """Some of these TLS refuses for the issuer's constraint, and the port the others."""
    unit = port.unit(issued=signed(port.town.nodes, subject))
    try:
        status, answer = unit.request("POST", CONTACT_PATH)
    except (ssl.SSLError, OSError):
        return
    assert (403, "other certificate") == (status, json.loads(answer)["problem"])


def test_gallery_that_the_directory_does_not_list_is_nobody(port: PortThread) -> None:
    """Whoever stole the nodes' issuer can make any name, and no place in the directory."""
    assert "unknown node" == port.unit(NodeId(0x99)).problem("POST", CONTACT_PATH)


@pytest.mark.parametrize("kind", ["gateway", "central"])
def test_gallery_of_what_is_no_premises_is_nobody(town: AskingTown, kind: str) -> None:
    town.list(sender(SHOP, (HART,), 1, kind=kind))
    with port_thread(town) as port:
        assert "unknown node" == port.unit().problem("POST", CONTACT_PATH)


def test_certificate_of_another_issuer_is_not_let_in(port: PortThread) -> None:
    stranger = CertificateAuthority.create_root("Elsewhere", port.town.now).create_issuer("node", "n", port.town.now)
    for issuer in (port.town.services, stranger):
        unit = port.unit(issued=issue_client_certificate(issuer, f"gallery-{node_text(SHOP)}"))
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            unit.request("POST", CONTACT_PATH)


def answered(connection: http.client.HTTPSConnection) -> int:
    with contextlib.closing(connection):
        connection.request("POST", CONTACT_PATH)
        return connection.getresponse().status


def test_nobody_comes_in_without_a_certificate(port: PortThread) -> None:
    context = ssl.create_default_context(cafile=str(port.town.folder / "root.pem"))
    with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
        answered(http.client.HTTPSConnection(HOST, port.port, timeout=60, context=context))


def test_question_of_a_node_that_is_struck_ends_at_once(port: PortThread) -> None:
    cut_off(port)

    assert "struck" == port.unit().problem("POST", CONTACT_PATH)
    assert (HART,) == port.unit(OTHER_SHOP).asks().schemes


def test_question_of_a_certificate_that_is_revoked_ends_at_once(port: PortThread) -> None:
    unit = port.unit()
    unit.asks()
    unit.ask()
    port.wait_for_question(SHOP)
    port.town.revoke(port.town.certificate(SHOP).serial)
    with pytest.raises((http.client.HTTPException, OSError)):
        unit.receive()

    assert "revoked" == port.unit().problem("POST", CONTACT_PATH)


def test_list_that_has_ended_lets_nobody_in(port: PortThread) -> None:
    """As at the broker: who holds lists back must not bring a stolen unit in again."""
    port.town.revoke(life=timedelta(seconds=-1))

    wait_until(lambda: port.unit().request("POST", CONTACT_PATH)[0] == 403, "the list is read")
    assert "no list" == port.unit().problem("POST", CONTACT_PATH)
    wait_until(
        lambda: any(told["alarm"] for told in port.facts("answering nodes")[-1:]),
        "everybody who looks after it is told",
    )
    port.town.revoke()
    wait_until(lambda: not port.facts("answering nodes")[-1]["alarm"], "all is well again")


def test_nobody_comes_back_by_a_ticket(port: PortThread) -> None:
    """A resumed session shows no certificate of today."""
    first = port.unit()
    first.asks()
    session = first.connection.sock.session
    assert session is None or not session.has_ticket
    first.close()

    assert session is None or not resumed(port, first.context, session)


def resumed(port: PortThread, context: ssl.SSLContext, session: ssl.SSLSession) -> bool:
    with (
        socket.create_connection((HOST, port.port)) as plain,
        context.wrap_socket(plain, server_hostname=HOST, session=session) as again,
    ):
        return bool(again.session_reused)


def test_change_reaches_the_shops_of_its_scheme_and_no_other(port: PortThread) -> None:
    """G4: what is HART's is not Pub Watch's."""
    shop, pub = port.unit(), port.unit(PUB)
    shop.asks()
    pub.asks()
    shop.ask()
    pub.ask()

    assert 1 == port.publish(HART, [ANYBODY])
    answer = shop.told()
    port.publish(PUB_WATCH, [SOMEBODY])
    other = pub.told()

    assert [(HART, 0)] == [(change.scheme, change.after) for change in answer.changes]
    assert content_key(ANYBODY) == opened(answer, SHOP)[1].photograph
    assert (PUB_WATCH,) == other.schemes
    assert {2} == opened(other, PUB, PUB_WATCH).keys()


def test_files_of_another_scheme_are_not_there(port: PortThread) -> None:
    number = port.publish(HART, [ANYBODY])
    assert port.unit().asks().changes
    picture = photograph_path(digest(ANYBODY))
    pub = port.unit(PUB)

    for path in (lines_path(HART, number), rows_path(HART, number), picture):
        assert "not found" == pub.problem("GET", path)
        assert 200 == port.unit().request("GET", path)[0]


@pytest.mark.parametrize("text", ["9" * 5_000, "1e3", "-1", "%C2%B2", "01"], ids=["huge", "real", "less", "two", "0"])
def test_number_that_is_none_is_not_there(port: PortThread, text: str) -> None:
    number = port.publish(HART, [ANYBODY])
    unit = port.unit()

    for path in (f"/gallery/{text}/{number}/lines", f"/gallery/{HART}/{text}/rows"):
        status, body = unit.request("GET", path)
        assert (404, "not found") == (status, json.loads(body)["problem"])


def digest(entry: Entry) -> str:
    return sha256(ciphertext_of(entry)).hexdigest()


def test_entry_for_some_premises_opens_there_only(port: PortThread) -> None:
    """Everybody's lines have it, so that the digest is one; who may not be shown it gets neither key nor picture."""
    limited = Entry(1, premises=(2,), here=(2,), photograph=b"a face")
    number = port.publish(HART, [limited, SOMEBODY])
    shop, other = port.unit(), port.unit(OTHER_SHOP)

    assert {2} == opened(shop.asks(), SHOP).keys()
    found = opened(other.asks(), OTHER_SHOP)
    assert [(1, True), (2, False)] == [(case, keys.here) for case, keys in found.items()]
    assert [2] == [row.case for row in decode_rows(shop.request("GET", rows_path(HART, number))[1])]
    assert [1, 2] == [row.case for row in decode_rows(other.request("GET", rows_path(HART, number))[1])]
    assert "not found" == shop.problem("GET", photograph_path(digest(limited)))
    assert 200 == other.request("GET", photograph_path(digest(limited)))[0]


def test_node_that_is_joined_with_no_premises_is_shown_what_everybody_is(town: AskingTown) -> None:
    town.list(sender(SHOP, (HART,), 0))
    town.publish(HART, [Entry(1, premises=(1,)), SOMEBODY])
    with port_thread(town) as port:
        assert {2} == opened(port.unit().asks(), SHOP).keys()


def test_what_is_held_is_brought_up_to_date_by_what_has_changed(port: PortThread) -> None:
    shop = port.unit()
    first = port.publish(HART, [ANYBODY, SOMEBODY, Entry(3)])
    assert [0] == [change.after for change in shop.asks().changes]
    shop.ask(held(first))
    second = port.publish(HART, [ANYBODY, Entry(3, name="Somebody Else"), Entry(4)])

    answer = shop.told()
    (change,) = answer.changes
    assert (first, (2,), {3, 4}) == (change.after, change.gone, opened(answer, SHOP).keys())
    shop.ask(held(second))
    port.publish(HART, [])
    assert ((1, 3, 4), "", ()) == (
        (last := shop.told().changes[0]).gone,
        last.lines,
        last.keys,
    )


def test_who_is_not_known_to_hold_anything_gets_the_whole_once(port: PortThread) -> None:
    """Its disk may be full: it asks again at once, and is not sent half a megabyte each time."""
    port.publish(HART, [ANYBODY])
    shop = port.unit()
    assert [0] == [change.after for change in shop.asks().changes]

    shop.ask()
    port.wait_for_question(SHOP)
    port.unit().ask()

    assert () == shop.told().changes


def test_rows_are_made_again_when_a_node_is_joined_with_a_premises(port: PortThread) -> None:
    number = port.publish(HART, [Entry(1, premises=(7,)), SOMEBODY])
    shop = port.unit()
    assert {2} == opened(shop.asks(), SHOP).keys()

    shop.ask(held(number))
    port.town.list(sender(SHOP, (HART,), 7))

    assert {1, 2} == opened(shop.told(), SHOP).keys()


def test_node_that_changes_its_scheme_is_told_at_once_what_to_destroy(port: PortThread) -> None:
    number = port.publish(HART, [ANYBODY])
    shop = port.unit()
    shop.asks()

    shop.ask(held(number))
    port.town.list(sender(SHOP, (PUB_WATCH,), 1))

    assert ((PUB_WATCH,), ()) == ((answer := shop.told()).schemes, answer.changes)


def test_change_in_a_large_gallery_reaches_fifty_shops_at_a_kilobyte_each(town: AskingTown) -> None:
    shops = [NodeId(0x100 + n) for n in range(50)]
    town.list(*(sender(shop, (HART,), shop) for shop in shops))
    entries = [Entry(case) for case in range(1, 501)]
    first = town.publish(HART, entries)
    town.hold(HART, shops)
    with port_thread(town) as port:
        units = [port.unit(shop) for shop in shops]
        for unit in units:
            unit.asks(held(first))
            unit.ask(held(first))

        second = town.publish(HART, [*entries[:-1], Entry(501)])
        answers = [unit.received() for unit in units]

    for unit, (answer, size) in zip(units, answers, strict=True):
        assert size < 1_024
        (change,) = answer.changes
        assert (first, (500,), {501}) == (change.after, change.gone, opened(answer, unit.node).keys())
        assert second == msgspec.json.decode(change.head)["snapshot"]["number"]


def test_lines_can_be_fetched_in_part(port: PortThread) -> None:
    number = port.publish(HART, [ANYBODY, SOMEBODY])
    shop = port.unit()
    shop.asks()

    whole = shop.request("GET", lines_path(HART, number))[1]
    assert (206, whole[10:]) == shop.request("GET", lines_path(HART, number), headers={"range": "bytes=10-"})
    assert (206, ciphertext_of(ANYBODY)[5:9]) == shop.request(
        "GET", photograph_path(digest(ANYBODY)), headers={"range": "bytes=5-8"}
    )
    assert "not found" == shop.problem("GET", lines_path(HART, number + 1))


def test_photograph_costs_its_bytes_and_hardly_more(port: PortThread) -> None:
    port.publish(HART, [ANYBODY])
    shop = port.unit()
    shop.asks()
    shop.send("GET", photograph_path(digest(ANYBODY)))
    answer = shop.connection.getresponse()
    answer.read()

    assert {"date", "content-length"} == {name.lower() for name in answer.headers}
    for headers in ({"range": "bytes=5-", "if-range": '"1"'}, {"range": "bytes=1-2,5-8"}):
        whole = shop.request("GET", photograph_path(digest(ANYBODY)), headers=headers)
        assert (200, ciphertext_of(ANYBODY)) == whole


def test_second_question_of_a_node_ends_its_first(port: PortThread) -> None:
    first, second = port.unit(), port.unit()
    first.asks()
    first.ask()
    port.wait_for_question(SHOP)

    second.ask()

    assert () == first.told().changes
    port.publish(HART, [SOMEBODY])
    assert second.told().changes


def test_node_that_asks_by_many_connections_takes_nobody_elses_turn(
    port: PortThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealing thousands of rows takes a second: with each of these questions it would be a minute for the others."""
    number = port.publish(HART, [ANYBODY])
    asked, sealing, may_go_on = list[NodeId](), threading.Event(), threading.Event()
    asking, rows = Waiting.asking, Answering.rows

    def counted(waiting: Waiting, node: NodeId) -> contextlib.AbstractContextManager[Question | None]:
        asked.append(node)
        return asking(waiting, node)

    def slow(answering: Answering, *args: Any) -> tuple[KeyRow, ...]:  # noqa: ANN401 - as it takes them
        sealing.set()
        if not may_go_on.wait(DEADLINE_S):
            may_go_on.set()  # for all: whoever is wrongly let in waits no longer than that
        return rows(answering, *args)

    monkeypatch.setattr(Waiting, "asking", counted)
    monkeypatch.setattr(Answering, "rows", slow)
    units = [port.unit() for _ in range(8)]
    for unit in units:
        unit.ask()
    wait_until(lambda: len(asked) == len(units), "all have asked")
    may_go_on.set()
    assert sum(bool(unit.told().changes) for unit in units) <= SEALED_AT_ONCE

    sealing.clear()
    may_go_on.clear()
    units[0].send("GET", rows_path(HART, number))
    wait_until(sealing.is_set, "its rows are being sealed")
    assert {429} == {unit.request("GET", rows_path(HART, number))[0] for unit in units[1:]}
    may_go_on.set()
    assert 200 == units[0].receive()[0]


def test_what_nodes_hold_is_kept_and_told(port: PortThread) -> None:
    number = port.publish(HART, [SOMEBODY])
    shop = port.unit()
    shop.asks()
    shop.ask(held(number))

    wait_until(lambda: bool(port.facts("gallery held")), "it is told")
    assert {"node": node_text(SHOP), "scheme": HART, "number": number, "is_complete": True}.items() <= (
        port.facts("gallery held")[0].items()
    )
    assert [(SHOP, HART, number, True)] == [
        (one.node, one.scheme, one.number, one.is_complete) for one in port.receipts()
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"x" * 5_000], ids=["nothing", "cut", "too large"])
def test_question_that_is_none_is_refused(port: PortThread, body: bytes) -> None:
    assert "malformed" == port.unit().problem("POST", CONTACT_PATH, body)


def test_clients_that_are_slow_or_too_large_hold_nobody_up(port: PortThread) -> None:
    slow = [port.unit(OTHER_SHOP) for _ in range(20)]
    for one in slow:
        one.connection.connect()
        one.connection.sock.sendall(b"POST /gallery/contact HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    large = port.unit(OTHER_SHOP)
    large.connection.connect()
    # The port says no after a part of it, and hangs up, perhaps before all is sent.
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        large.connection.sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"x" * 200_000)

    assert (HART,) == port.unit().asks().schemes
