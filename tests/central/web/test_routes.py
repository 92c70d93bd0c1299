from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from central.core.view import Acknowledge, Board, Person
from central.web.actions import ACTION_BYTES_MAX
from central.web.app import create_app
from demo.stand_in_office import OFFICE_URL
from tests.central.web.conftest import OpenClient
from tests.central.web.scripted_board import NOTICE, ScriptedBoard, healthy
from tests.support.town_office import COOKIE, PRIYA, TownOffice, open_session


def get(open_client: OpenClient, board: ScriptedBoard, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with open_client(board) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def post(open_client: OpenClient, board: ScriptedBoard, body: object, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with open_client(board) as client:
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
            return await client.post(
                "/actions", content=content, headers={"content-type": "application/json", **headers}
            )

    return asyncio.run(ask())


def test_board_json_is_the_ports_board(open_client: OpenClient) -> None:
    """C5: the same snapshot as the page's."""
    board = ScriptedBoard()
    board.press("attack")
    board.show_nodes(healthy("00000010", "Corner Shop"))

    answer = get(open_client, board, "/board.json")

    assert board.board() == msgspec.json.decode(answer.content, type=Board)
    assert "no-store" == answer.headers["cache-control"]


def test_page_is_readable_without_script(open_client: OpenClient) -> None:
    board = ScriptedBoard()
    board.press("attack", "Corner Shop", is_silent=True)

    html = get(open_client, board, "/").text

    for said in (
        "Corner Shop",
        "ATTACK",
        "UNANSWERED",
        "do not call the premises’ radio",
        "NOT LIVE",
        "NOBODY ON DUTY",
    ):
        assert said in html
    assert NOTICE in html


def test_page_names_whom_a_breach_is_about_and_leads_to_the_office(open_client: OpenClient) -> None:
    """Central has the reference alone."""
    board = ScriptedBoard()
    board.press("breach", "Corner Shop", person="HART-0042", person_scheme=1, left="no")

    html = get(open_client, board, "/").text

    assert f'<a href="{OFFICE_URL}register/?q=HART-0042" target="_blank" rel="noreferrer">HART-0042</a>' in html
    assert "Left when asked: no" in html


def test_page_without_script_puts_the_drill_of_an_attack_below_what_is_real(open_client: OpenClient) -> None:
    """As with script: a drill hides nothing."""
    board = ScriptedBoard()
    board.press("attack", "Drilling Shop", is_drill=True)
    board.press("sighting", "Corner Shop")

    html = get(open_client, board, "/").text

    assert html.index("Corner Shop") < html.index("Drilling Shop")


def test_page_without_script_ends_no_line_within_a_count(open_client: OpenClient) -> None:
    board = ScriptedBoard()
    board.show(replace(board.press("sighting"), stands_for=4, urgent_kind="attack", urgent_count=1))

    html = get(open_client, board, "/").text

    assert "4 open alerts here, among them 1\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}ATTACK" in html


@pytest.mark.finding(12)
def test_page_names_what_it_cannot_draw_and_shows_the_rest(open_client: OpenClient) -> None:
    board = ScriptedBoard()
    board.press("attack", premises="Corner Shop")
    board.press("assist", premises="Echo Club")
    bad = next(iter(board.cards.values()))
    board.cards[bad.key] = replace(bad, cancelled="nonsense")  # type: ignore[arg-type]
    board.nodes["00000011"] = healthy("00000011", "Bakery")
    board.nodes["00000012"] = replace(healthy("00000012", "Crown"), radio="none")  # type: ignore[arg-type]

    html = get(open_client, board, "/").text

    assert ["Corner Shop", "Echo Club", "Bakery", "Crown"] == [
        name for name in ("Corner Shop", "Echo Club", "Bakery", "Crown") if f"<bdi>{name}</bdi>" in html
    ]
    assert 2 == html.count("Central has a fault and cannot show this. Ring the premises.")


def test_page_escapes_names(open_client: OpenClient) -> None:
    board = ScriptedBoard()
    board.press("theft", "<img src=x onerror=alert(1)>")

    html = get(open_client, board, "/").text

    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_page_has_no_script_or_style_of_its_own_and_no_other_host(open_client: OpenClient) -> None:
    answer = get(open_client, ScriptedBoard(), "/")

    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "style=" not in answer.text
    assert " onclick" not in answer.text
    assert "//" not in answer.text.replace('xmlns="http://www.w3.org', "").replace(f'"{OFFICE_URL}"', "")


def test_done_action_reaches_the_port_with_who_did_it(open_client: OpenClient) -> None:
    """C1: acknowledge as a named role."""
    board = ScriptedBoard()
    card = board.press("attack")

    body = {"action": {"type": "acknowledge", "incident": card.incident, "seen_kind": "attack"}, "role": "cctv"}
    answer = post(open_client, board, body)

    assert (200, {"type": "done", "sequence": board.sequence}) == (answer.status_code, answer.json())
    assert [(Acknowledge(card.incident, "attack"), Person("cctv", "Priya Shah", PRIYA))] == board.actions


def test_refused_action_says_why(open_client: OpenClient) -> None:
    body = {"action": {"type": "acknowledge", "incident": "00000010-99"}, "role": "cctv"}

    answer = post(open_client, ScriptedBoard(), body)

    expected = (409, {"type": "refused", "reason": "There is no such incident."})
    assert expected == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 5_000, 422, "not an action"),
        (b'{"action": {"type": "explode"}, "role": "cctv"}', 422, "not an action"),
        (b'{"action": {"type": "TakeOffDuty", "why": "x"}, "role": "cctv"}', 422, "not an action"),
        (b'{"action": {"type": "start-watch"}, "role": "cctv", "x": 1}', 422, "unknown field"),
        (b'{"action": {"type": "start-watch"}, "role": "cctv"}', 409, "older than central"),
        (b'{"action": {"type": "start-watch", "proof": "phone"}, "role": "cctv"}', 409, "older than central"),
        (b'{"action": {"type": "start-watch", "proof": "word"}, "role": "cctv"}', 422, "not an action"),
        (
            b'{"action": {"type": "acknowledge", "incident": 7}, "role": "cctv"}',
            422,
            "not an action",
        ),
        (b"x" * (ACTION_BYTES_MAX + 1), 413, "longer than"),
        (b" " * 1_048_576, 413, "longer than"),
    ],
)
def test_bad_action_is_refused_in_a_sentence(open_client: OpenClient, body: bytes, status: int, said: str) -> None:
    board = ScriptedBoard()

    answer = post(open_client, board, body)

    assert status == answer.status_code, answer.text
    assert "refused" == answer.json()["type"]
    assert said in answer.json()["reason"]
    assert [] == board.actions


def test_action_must_be_declared_as_json(open_client: OpenClient) -> None:
    body = {"action": {"type": "start-watch"}, "role": "cctv"}

    assert 415 == post(open_client, ScriptedBoard(), body, **{"content-type": "text/plain"}).status_code


def test_failing_port_is_told_as_not_known_done(open_client: OpenClient) -> None:
    class Broken(ScriptedBoard):
        async def act(self, action: object, by: Person, rights: object = None) -> object:  # type: ignore[override]
            raise OSError("disk")

    answer = post(open_client, Broken(), {"action": {"type": "start-watch", "proof": "page"}, "role": "cctv"})

    assert 500 == answer.status_code
    assert "could not do this" in answer.json()["reason"]


@pytest.mark.parametrize(
    ("is_broker_linked", "is_disk_ok", "status"), [(True, True, 200), (False, True, 503), (True, False, 503)]
)
def test_healthz_says_whether_alerts_can_arrive_and_be_stored(
    open_client: OpenClient, *, is_broker_linked: bool, is_disk_ok: bool, status: int
) -> None:
    board = ScriptedBoard()
    board.set_links(is_broker_linked=is_broker_linked, is_disk_ok=is_disk_ok)

    answer = get(open_client, board, "/healthz")

    assert (status, is_broker_linked) == (answer.status_code, answer.json()["is_broker_linked"])


def test_static_files_are_asked_for_again(open_client: OpenClient) -> None:
    """An updated central must not be shown by an old script."""
    answer = get(open_client, ScriptedBoard(), "/static/js/main.js")

    assert ("no-cache", "nosniff") == (answer.headers["cache-control"], answer.headers["x-content-type-options"])
    assert answer.headers["content-type"].startswith("text/javascript")


def test_inter_is_served_only_if_all_its_cuts_are_there(tmp_path: Path) -> None:
    async def ask(path: str) -> httpx.Response:
        gate = TownOffice().gate()
        app = create_app(ScriptedBoard(), gate, inter_font_dir=tmp_path, notice=NOTICE)
        cookies = {COOKIE: await open_session(gate)}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", cookies=cookies) as client:
            return await client.get(path)

    assert "inter.css" not in asyncio.run(ask("/")).text
    for cut in ("Regular", "SemiBold", "Bold"):
        (tmp_path / f"Inter-{cut}.otf").write_bytes(b"OTTO")
    assert "inter.css" in asyncio.run(ask("/")).text
    assert b"OTTO" == asyncio.run(ask("/static/inter/Inter-Bold.otf")).content
    assert 404 == asyncio.run(ask("/static/inter/..%2Fsecret")).status_code
