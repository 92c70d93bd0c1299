"""Who may hold the keys of a gallery's lines: a file beside them, for the machine port alone. No node ever gets it.

``gallery-1-42.holders`` belongs to the head and lines of the same number. It says of each line to whom it may be shown,
where it happened, and the wrapped key of its photographs; and of cases that are gone, since when. It names nobody.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct

from wire.gallery_contact import GONE_MAX
from wire.gallery_head import head_name
from wire.gallery_lines import Lines

GONE_KEPT: Final = GONE_MAX
"""Who was away for longer fetches the whole."""

_FILE_NAME: Final = re.compile(r"gallery-([1-9][0-9]{0,4})-([1-9][0-9]{0,15})\.holders")


class HoldersError(Exception):
    """The file is malformed."""


class LineHolders(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Of one line.

    Attributes:
        premises: numbers of those that may be shown it; ``None`` = all of the scheme, later joiners too.
        here: numbers of those where it happened, or which it concerns in particular. Each is told of itself alone.
        wrapped_key: of its photographs, under the photographs' key; ``None`` = it has none.
    """

    case: int
    premises: tuple[int, ...] | None = None
    here: tuple[int, ...] = ()
    wrapped_key: bytes | None = None

    def may_show(self, premises: int) -> bool:
        """Whether a premises of the scheme may be shown it; 0 = a node that stands in none."""
        return self.premises is None or premises in self.premises


class Gone(Struct, frozen=True, gc=False):
    """A case that has no line any more, since this number of the gallery."""

    case: int
    since: int


class Holders(Struct, frozen=True, kw_only=True):
    """Of a whole gallery.

    Attributes:
        number: of the gallery.
        changes_from: the lowest number from which the change to this one is known.
        lines: by ascending case, one for each line.
        gone: since ``changes_from``.
    """

    scheme: int
    number: int
    changes_from: int
    lines: tuple[LineHolders, ...] = ()
    gone: tuple[Gone, ...] = ()

    def gone_after(self, number: int) -> tuple[int, ...] | None:
        """Cases that are gone since a number; ``None`` = that is not known any more. From nothing nothing is gone."""
        if number == 0:
            return ()
        if not self.changes_from <= number <= self.number:
            return None
        return tuple(sorted(one.case for one in self.gone if one.since > number))

    def fit(self, lines: Lines) -> bool:
        """Whether these are the holders of just these lines."""
        return [one.case for one in self.lines] == list(lines)


_read: Final = msgspec.json.Decoder(Holders).decode


def first_holders(scheme: int, number: int, lines: tuple[LineHolders, ...]) -> Holders:
    """Of a gallery before which nothing is known."""
    return Holders(scheme=scheme, number=number, changes_from=number, lines=lines)


def next_holders(last: Holders, number: int, lines: tuple[LineHolders, ...]) -> Holders:
    """Of the gallery after ``last``.

    Args:
        last: of the one before.
        number: higher than that one's.
        lines: by ascending case.
    """
    now = {one.case for one in lines}
    gone = {one.case: one.since for one in last.gone} | {one.case: number for one in last.lines if one.case not in now}
    left = sorted((since, case) for case, since in gone.items() if case not in now)
    dropped, kept = left[:-GONE_KEPT], left[-GONE_KEPT:]
    return Holders(
        scheme=last.scheme,
        number=number,
        changes_from=max(last.changes_from, dropped[-1][0]) if dropped else last.changes_from,
        lines=lines,
        gone=tuple(Gone(case, since) for since, case in kept),
    )


def encode_holders(holders: Holders) -> bytes:
    """The bytes of the file."""
    return msgspec.json.encode(holders)


def decode_holders(data: bytes, scheme: int, number: int) -> Holders:
    """Read the file.

    Raises:
        HoldersError: malformed, or of another scheme or number.
    """
    try:
        holders = _read(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise HoldersError(f"not a file of holders: {e}") from e
    if (holders.scheme, holders.number) != (scheme, number):
        raise HoldersError(f"holders of scheme {holders.scheme}, number {holders.number}")
    return holders


def holders_file(scheme: int, number: int) -> str:
    """``(1, 42)`` → ``"gallery-1-42.holders"``."""
    return f"{head_name(scheme)}-{number}.holders"


def parse_holders_file(text: str) -> tuple[int, int] | None:
    """``"gallery-1-42.holders"`` → ``(1, 42)``; ``None`` if it is no name of holders."""
    match = _FILE_NAME.fullmatch(text)
    return None if match is None else (int(match[1]), int(match[2]))
