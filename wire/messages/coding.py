"""Messages as JSON, and back."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from wire.errors import EncodeError, MessageDecodeError
from wire.limits import DETAIL_CHARS_MAX, MESSAGE_BYTES_MAX, SYNC_ANSWER_BYTES_MAX
from wire.messages.fields import Message
from wire.messages.health import Health
from wire.messages.incident import IncidentState
from wire.messages.status import CentralStatus
from wire.messages.sync import Sync, SyncAnswer
from wire.text import display_text

M = TypeVar("M", bound=Message)


@cache
def _decoder(kind: type[Message]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


for _kind in (Health, Sync, SyncAnswer, IncidentState, CentralStatus):
    # Before there are threads: msgspec 0.22 crashes if two of them are the first to read a type.
    _decoder(_kind)


def bytes_max(kind: type[Message]) -> int:
    """The size limit of a type of message."""
    return SYNC_ANSWER_BYTES_MAX if kind is SyncAnswer else MESSAGE_BYTES_MAX


def encode_message(message: Message) -> bytes:
    """The message as UTF-8 JSON. A sync answer over its limit loses incidents from the end until it fits.

    Raises:
        EncodeError: no receiver would accept it: a field is out of bounds, or it is over its limit.
    """
    try:
        data = msgspec.json.encode(message)
        while isinstance(message, SyncAnswer) and len(data) > SYNC_ANSWER_BYTES_MAX and message.incidents:
            message = replace(message, incidents=message.incidents[: len(message.incidents) // 2])
            data = msgspec.json.encode(message)
        decode_message(data, type(message))
    except (MessageDecodeError, UnicodeEncodeError) as e:
        raise EncodeError(f"{type(message).__name__}: {e}") from e
    return data


def decode_message(data: bytes, kind: type[M]) -> M:
    """Read one JSON message.

    Raises:
        MessageDecodeError: too large, not JSON, a field of the wrong type or out of bounds.
    """
    cap = bytes_max(kind)
    if len(data) > cap:
        raise MessageDecodeError("message too large", cap, f"{len(data)} bytes")
    try:
        message: M = _decoder(kind).decode(data)
    except msgspec.ValidationError as e:
        raise MessageDecodeError("message field", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise MessageDecodeError("message json", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    return message
