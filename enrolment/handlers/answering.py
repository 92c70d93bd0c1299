"""The answer to a claim, most of which is the directory: all that are under way share its bytes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Final

from msgspec import json
from starlette.responses import StreamingResponse

from wire.enrolment import EnrolmentAnswer

_PIECE_BYTES: Final = 65_536
"""The next one only when the last has gone out. Two hundred units in a town of thousands would fill the memory else."""
_END: Final = b'"directory":""}'


def answer_with(answer: EnrolmentAnswer, directory: bytes) -> StreamingResponse:
    """JSON of the answer with this directory.

    Args:
        answer: without one.
        directory: sealed.
    """
    data = json.encode(answer)
    assert data.endswith(_END)
    inner = _base64(directory)
    parts = (data[:-2], inner, data[-2:])
    headers = {"content-length": str(sum(map(len, parts)))}
    return StreamingResponse(_pieces(parts), media_type="application/json", headers=headers)


@lru_cache(maxsize=1)
def _base64(directory: bytes) -> bytes:
    return b64encode(directory)


async def _pieces(parts: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for part in parts:
        for start in range(0, len(part), _PIECE_BYTES):
            yield part[start : start + _PIECE_BYTES]
