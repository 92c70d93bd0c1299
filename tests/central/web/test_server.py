from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import AbstractContextManager

import httpx
import pytest

from central.web.session_streams import STREAMS_EACH_MAX
from runtime.web_server import NotLoopbackError, listen, url_of
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.town_office import COOKIE

pytestmark = pytest.mark.integration


def test_stream_sends_the_board_and_then_each_change(server: ScriptedServer) -> None:
    with listening(server) as answer:
        lines = answer.iter_lines()
        assert "text/event-stream; charset=utf-8" == answer.headers["content-type"]
        assert "no-store" == answer.headers["cache-control"]
        assert "id: boot-1/7" == next(lines)
        server.call(lambda: server.board.press("attack"))
        assert "id: boot-1/8" == next(line for line in lines if line.startswith("id: ") and line != "id: boot-1/7")


def test_last_event_id_header_is_honoured(server: ScriptedServer) -> None:
    with listening(server) as answer:
        next(answer.iter_lines())
    server.call(lambda: server.board.press("attack"))
    with listening(server, "boot-1/7") as answer:
        assert ["id: boot-1/8", "event: change"] == [next(lines) for lines in [answer.iter_lines()] for _ in range(2)]


def test_gone_browser_is_forgotten(server: ScriptedServer) -> None:
    with listening(server) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert 1 == server.call(lambda: server.app.state.feed.listener_count)
    until(lambda: server.call(lambda: server.app.state.feed.listener_count) == 0)


def test_browser_that_stops_reading_is_dropped_and_holds_nobody_up(server: ScriptedServer) -> None:
    """Many and slow browsers: the queue of each is bounded, then it has to ask for the board again."""
    cookie = server.sign_in()[COOKIE]
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        stuck.sendall(
            f"GET /feed HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {COOKIE}={cookie}\r\n\r\n".encode()
        )
        until(lambda: server.call(lambda: server.app.state.feed.listener_count) == 1)
        with listening(server) as answer:
            lines = answer.iter_lines()

            def talk() -> None:
                for _ in range(20):
                    server.board.press("theft", "P" * 60, "00000010-1", outcome="x" * 20_000)

            for _ in range(200):
                server.call(talk)
                sequence = server.call(lambda: server.board.sequence)
                assert any(line == f"id: boot-1/{sequence}" for line in lines)
                if server.call(lambda: server.app.state.feed.listener_count) == 1:
                    break
            assert 1 == server.call(lambda: server.app.state.feed.listener_count)
            server.call(lambda: server.board.press("attack", incident="00000010-2"))
            assert any("00000010-2" in line for line in lines)


def test_two_hundred_browsers_all_hear_a_change(server: ScriptedServer) -> None:
    async def listen_once(client: httpx.AsyncClient, cookies: str, started: asyncio.Semaphore) -> bool:
        async with client.stream("GET", f"{server.url}feed", headers={"cookie": cookies}) as answer:
            async for line in answer.aiter_lines():
                if line == "event: beat":
                    started.release()
                if line == "id: boot-1/8":
                    return True
        return False

    async def run() -> list[bool]:
        started = asyncio.Semaphore(0)
        people = [server.office.add(f"Operator {number}").account for number in range(200 // STREAMS_EACH_MAX)]
        server.publish()
        cookies = [f"{COOKIE}={(await asyncio.to_thread(server.sign_in, one))[COOKIE]}" for one in people]
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:
            heard = [
                asyncio.create_task(listen_once(client, cookies[number // STREAMS_EACH_MAX], started))
                for number in range(200)
            ]
            for _ in heard:
                await started.acquire()
            await asyncio.to_thread(server.call, lambda: server.board.press("attack"))
            return await asyncio.gather(*heard)

    assert [True] * 200 == asyncio.run(run())


def test_stopping_ends_open_streams_and_the_port_can_be_taken_again() -> None:
    first = ScriptedServer(ScriptedBoard())
    with listening(first) as answer:
        lines = answer.iter_lines()
        next(lines)
        first.stop()
        assert all(line is not None for line in lines)  # ends cleanly instead of breaking off
    second = ScriptedServer(ScriptedBoard("boot-2"), port=first.port)
    try:
        board = httpx.get(f"{second.url}board.json", cookies=second.sign_in(), timeout=60).json()
        assert "boot-2" == board["boot_id"]
    finally:
        second.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "central.example", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(NotLoopbackError, match="without TLS"):
        listen(host, 0)


def test_url_of_the_socket() -> None:
    with listen("localhost", 0) as listener:
        assert f"http://127.0.0.1:{listener.getsockname()[1]}/" == url_of(listener)


def listening(server: ScriptedServer, last_event_id: str = "") -> AbstractContextManager[httpx.Response]:
    """The feed, as somebody who has just signed in hears it."""
    headers = {"last-event-id": last_event_id} if last_event_id else {}
    return httpx.stream("GET", f"{server.url}feed", headers=headers, cookies=server.sign_in(), timeout=60)


def until(is_so: object) -> None:
    """Wait, with a generous deadline, until ``is_so()``."""
    waiting = threading.Event()
    for _ in range(6000):
        if is_so():  # type: ignore[operator]
            return
        waiting.wait(0.01)
    raise TimeoutError("it did not come so")
