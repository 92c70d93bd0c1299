"""A request reaches the pages whole, or not at all."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

from office.whole_body import FORM_BYTES_MAX, UPLOAD_BYTES_MAX, WholeBody

SEEN: list[tuple[bytes, dict[bytes, bytes]]] = []


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    SEEN.append((message["body"], dict(scope["headers"])))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _send(pieces: list[bytes], *, path: str = "/people/", within_s: float = 5.0, query: bytes = b"") -> int | None:
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
        "headers": [(b"transfer-encoding", b"chunked"), (b"content-type", b"text/plain")],
    }
    body = WholeBody(_page, upload_paths=("/premises/import/",), within_s=within_s)
    asyncio.run(body(scope, receive, send))
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
    assert _send([bytes(10 << 20)], path="/premises/import/") == 200
    assert _send([bytes(UPLOAD_BYTES_MAX), b"1"], path="/premises/import/") == 413


def test_an_address_of_strange_bytes_is_refused() -> None:
    assert _send([b""], query=b"q=\xff") == 400
    assert SEEN == []
