"""Open streams end with their session, and say so."""

from __future__ import annotations

from itertools import islice

import httpx
import pytest

from central.web.session_streams import STREAMS_EACH_MAX
from tests.central.web.scripted_board import ScriptedServer
from tests.central.web.test_server import listening, until
from tests.support.town_office import COOKIE, PATEL, PRIYA
from wire.snapshots import RoleEntry

LINES_MAX = 60
"""Beats would come for ever."""
pytestmark = pytest.mark.integration


def test_stream_of_an_ended_account_ends_with_a_farewell(server: ScriptedServer) -> None:
    with listening(server) as answer:
        lines = answer.iter_lines()
        next(lines)
        del server.office.people[PRIYA]
        server.publish()

        assert "event: bye" in islice(lines, LINES_MAX)
    until(lambda: server.call(lambda: server.app.state.feed.listener_count) == 0)


def test_stream_of_a_person_whose_roles_change_ends_with_a_farewell(server: ScriptedServer) -> None:
    with listening(server) as answer:
        lines = answer.iter_lines()
        next(lines)
        server.office.change(PRIYA, roles=(RoleEntry(role="cctv", schemes=(1,)),))
        server.publish()

        assert "event: bye" in islice(lines, LINES_MAX)


def test_streams_of_others_go_on(server: ScriptedServer) -> None:
    cookies = server.sign_in(PATEL)
    with httpx.stream("GET", f"{server.url}feed", cookies=cookies, timeout=60) as answer:
        lines = answer.iter_lines()
        next(lines)
        del server.office.people[PRIYA]
        server.publish()
        server.call(lambda: server.board.press("attack"))

        assert any("event: change" in line for line in lines)


def test_one_session_has_a_few_streams_and_the_rest_are_refused(server: ScriptedServer) -> None:
    cookies = server.sign_in()
    with httpx.Client(base_url=server.url, cookies=cookies, timeout=60) as client:
        opened = [client.stream("GET", "/feed") for _ in range(STREAMS_EACH_MAX)]
        for stream in opened:
            stream.__enter__()
        assert 503 == client.get("/feed").status_code
        opened[0].__exit__(None, None, None)
        until(lambda: server.call(lambda: server.app.state.feed.listener_count) == STREAMS_EACH_MAX - 1)
        with client.stream("GET", "/feed") as answer:
            assert 200 == answer.status_code
        for stream in opened[1:]:
            stream.__exit__(None, None, None)


def test_stream_needs_a_session(server: ScriptedServer) -> None:
    assert 401 == httpx.get(f"{server.url}feed", cookies={COOKIE: "x" * 43}, timeout=60).status_code
