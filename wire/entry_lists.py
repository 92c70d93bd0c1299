"""Reads the long list of a signed document in parts, and bounds it before it is decoded.

Whoever stole a signing key fills a file as they like. Of JSON each two bytes can become an object of seventy, so a list
whose length is checked once it is decoded costs a gigabyte and seconds. Here the entries are counted first, up to the
limit and without keeping anything; then they are cut apart; then each that is not too long is decoded.

The rests between the parts are for the program's other threads: one call that decodes thousands of entries would hold
Python's interpreter, and so the program's alerts, for that long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from wire.errors import SnapshotError
from wire.messages import Message

ENTRY_BYTES_MAX: Final = 131_072
"""Of any entry, as JSON: half as much again as the longest that its own fields allow."""
ENTRIES_AT_ONCE: Final = 50
"""Read between two rests: a third of a millisecond's work."""

D = TypeVar("D", bound=Message)


def no_rest() -> None:
    """For programs in which nothing else waits."""


class _TooManyError(ValueError):
    pass


_room: Final[ContextVar[Iterator[int]]] = ContextVar("room")
"""Yields as often as there is room for one more entry."""


class _Counted(Struct, frozen=True, gc=False):
    """An entry of which nothing is kept: its fields are skipped."""

    def __post_init__(self) -> None:
        if next(_room.get(), None) is None:
            raise _TooManyError


class EntryList(Generic[D]):
    """How to read documents of one kind.

    Args:
        kind: of the document.
        field: of ``kind``, which holds the entries as a tuple.
        entry: what they are.
        entries_max: how many of them.
    """

    def __init__(self, kind: type[D], field: str, entry: type[Message], entries_max: int) -> None:
        self._kind: type[D] = kind
        self._field = field
        self._entries_max = entries_max
        # Fields that it does not name are skipped.
        self._count = msgspec.json.Decoder(msgspec.defstruct("Count", [(field, list[_Counted], ())]))
        self._outline = msgspec.json.Decoder(_outline(kind, field))
        self._entry: msgspec.json.Decoder[Any] = msgspec.json.Decoder(entry)

    def read(self, encoded: msgspec.Raw, rest: Callable[[], None] = no_rest) -> D:
        """What one call of ``msgspec.json.decode`` gives, in many.

        Args:
            encoded: the document.
            rest: called before every :data:`ENTRIES_AT_ONCE` entries.

        Raises:
            SnapshotError: too many entries, or one too large.
            msgspec.MsgspecError, ValueError, RecursionError: malformed, or contradicting itself.
        """
        self._bound(encoded)
        read = asdict(self._outline.decode(encoded))
        cut: list[msgspec.Raw] = read[self._field]
        for one in cut:
            if len(memoryview(one)) > ENTRY_BYTES_MAX:
                raise SnapshotError("snapshot too large", detail=f"an entry of {len(memoryview(one))} bytes")
        entries: list[Message] = []
        for start in range(0, len(cut), ENTRIES_AT_ONCE):
            rest()
            entries += map(self._entry.decode, cut[start : start + ENTRIES_AT_ONCE])
        return self._kind(**{**read, self._field: tuple(entries)})

    def _bound(self, encoded: msgspec.Raw) -> None:
        token = _room.set(iter(range(self._entries_max)))
        try:
            self._count.decode(encoded)
        except msgspec.ValidationError as e:
            if isinstance(e.__cause__, _TooManyError):
                raise SnapshotError("snapshot too large", detail=f"over {self._entries_max} entries") from e
            raise
        finally:
            _room.reset(token)


def _outline(kind: type[Message], field: str) -> type[Struct]:
    """The same kind with its entries still encoded."""
    fields: list[Any] = []
    for one in msgspec.structs.fields(kind):
        its_type = list[msgspec.Raw] if one.name == field else one.type
        fields.append((one.name, its_type) if one.required else (one.name, its_type, one.default))
    return msgspec.defstruct(kind.__name__, fields, bases=(Message,), frozen=True, kw_only=True)
