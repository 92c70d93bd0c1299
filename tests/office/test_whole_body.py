"""A request reaches the pages whole, or not at all."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from office.body_limits import FORM_BYTES_MAX, UPLOAD_BYTES_MAX
from office.whole_body import UPLOADS_AT_ONCE, NotKnownError, WholeBody
from tests.support.fleet_broker import DEADLINE_S

UPLOAD: Final = "/premises/import/"
SIGNED_IN: Final = (b"cookie", b"signed in")
NOT_KNOWN: Final = (b"cookie", b"whose")
SEEN: list[tuple[bytes, dict[bytes, bytes]]] = []


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    SEEN.append((message["body"], dict(scope["headers"])))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _is_signed_in(scope: Scope) -> bool:
    if NOT_KNOWN in scope["headers"]:
        raise NotKnownError
    return SIGNED_IN in scope["headers"]


def _whole_body(within_s: float = DEADLINE_S) -> WholeBody:
    return WholeBody(
        _page, upload_paths=frozenset({UPLOAD, "/cases/NUMBER/file/"}), is_signed_in=_is_signed_in, within_s=within_s
    )


def _send(
    pieces: list[bytes],
    *,
    path: str = "/people/",
    within_s: float = DEADLINE_S,
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> int | None:
    """Status of the answer; the last piece ends the body; ``None`` = none. No piece at all: the sender is silent."""
    SEEN.clear()
    answers: list[Message] = []
    waiting = list(pieces)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        answers.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query,
        "headers": [(b"transfer-encoding", b"chunked"), (b"content-type", b"text/plain"), *headers],
    }
    asyncio.run(_whole_body(within_s)(scope, receive, send))
    return answers[0]["status"] if answers else None


def test_pieces_arrive_as_one_with_their_length() -> None:
    assert _send([b"a=", b"1", b""]) == 200
    assert SEEN == [(b"a=1", {b"content-type": b"text/plain", b"content-length": b"3"})]


def test_a_page_does_not_begin_before_the_body_has_come() -> None:
    assert _send([], within_s=0.01) == 408
    assert SEEN == []


def test_a_form_of_ten_megabytes_is_refused() -> None:
    assert _send([bytes(1 << 20)] * 10) == 413
    assert SEEN == []


def test_a_form_just_within_the_limit_is_taken() -> None:
    assert _send([bytes(FORM_BYTES_MAX)]) == 200
    assert _send([bytes(FORM_BYTES_MAX), b"1"]) == 413


def test_a_file_may_be_larger_where_files_are_expected() -> None:
    assert _send([bytes(1 << 20)] * 10, path=UPLOAD, headers=(SIGNED_IN,)) == 200
    assert len(SEEN[0][0]) == 10 << 20
    assert _send([bytes(UPLOAD_BYTES_MAX), b"1"], path=UPLOAD, headers=(SIGNED_IN,)) == 413
    assert _send([bytes(1 << 20)], path=f"{UPLOAD}0a1b/", headers=(SIGNED_IN,)) == 413


def test_a_file_may_be_larger_at_an_address_with_a_number() -> None:
    assert _send([bytes(1 << 20)], path="/cases/17/file/", headers=(SIGNED_IN,)) == 200
    for path in ("/cases/x/file/", "/cases/17/", "/cases/17/file/2/", "/cases/\u0661/file/"):
        assert _send([bytes(1 << 20)], path=path, headers=(SIGNED_IN,)) == 413, path


def test_a_stranger_may_send_a_small_form_only_wherever_it_goes() -> None:
    assert _send([bytes(FORM_BYTES_MAX)], path=UPLOAD) == 200
    assert _send([bytes(FORM_BYTES_MAX), b"1"], path=UPLOAD) == 413
    assert SEEN == []


def test_a_file_of_somebody_who_may_be_signed_in_is_to_be_sent_again() -> None:
    assert _send([bytes(FORM_BYTES_MAX), b"1"], path=UPLOAD, headers=(NOT_KNOWN,)) == 503
    assert SEEN == []


def test_few_files_are_held_at_a_time_and_the_others_wait_unread() -> None:
    async def all_at_once() -> tuple[int, list[int]]:
        taken, statuses, may_end = 0, [], asyncio.Event()

        async def one() -> None:
            pieces = 0

            async def receive() -> Message:
                nonlocal taken, pieces
                pieces += 1
                taken += 1
                if pieces == 10:
                    await may_end.wait()
                return {"type": "http.request", "body": bytes(1 << 20), "more_body": pieces < 10}

            async def send(message: Message) -> None:
                if "status" in message:
                    statuses.append(message["status"])

            scope: Scope = {"type": "http", "path": UPLOAD, "query_string": b"", "headers": [SIGNED_IN]}
            await body(scope, receive, send)

        body = _whole_body()
        sending = [asyncio.create_task(one()) for _ in range(20)]
        for _ in range(100):  # far more turns than they need to get as far as they can
            await asyncio.sleep(0)
        held = taken
        may_end.set()
        await asyncio.gather(*sending)
        return held, statuses

    held, statuses = asyncio.run(all_at_once())

    assert held == UPLOADS_AT_ONCE * 10 + 20 - UPLOADS_AT_ONCE
    assert statuses == [200] * 20


def test_an_address_of_strange_bytes_is_refused() -> None:
    assert _send([b""], query=b"q=\xff") == 400
    assert SEEN == []
