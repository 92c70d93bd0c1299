"""Which words may leave the unit: those of this program's own source, so no name, password or address.

A list of what to remove would miss what nobody thought of. So a text passes word by word: a word passes if the sources
of ``node``, ``runtime`` and ``wire`` hold it as text or name, a number if it is short; the rest becomes ``…``. Names
that the unit knows (premises, places, schemes, the broker) go first, for they may be made of ordinary words.
"""

from __future__ import annotations

import ast
import builtins
import errno
import importlib.util
import os
import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Final

GONE: Final = "…"
_NAME: Final = "‹name›"
_TEXT_CHARS_MAX: Final = 600
_PACKAGES: Final = ("node", "runtime", "wire")
_WORD: Final = re.compile(r"[A-Za-z]+")
_PIECES: Final = re.compile(r"[^A-Za-z0-9]+")
_NUMBER: Final = re.compile(r"\d{1,3}|20[2-9]\d")
_PLAIN: Final = re.compile(r"[!-~–—’“”×°µ²…‹›]+")
_FRAME_ID: Final = re.compile(r"([0-9a-f]{8})(?:-\d{1,10})?")
_NUMBERS_MAX: Final = 3
"""More in one chunk is an address or a telephone number."""
_SIGNS_MAX: Final = 3
_SYSTEMD: Final = """
activating active auto automatic code config configuration connected consumed control core counter cpu current dead
deactivated deactivating dumped enabled entered exec exit exited exiting failed failure failures final finished group id
invocation job kill killed killing limit load loaded main memory mode node oom peak process reached reloading restart
result running scheduled seconds service sigabrt sigkill sigterm signal signals since start started starting state
status stop stopped stopping successfully succeeded systemd tasks time timed timeout trigger unit watchdog watchlink
disabled inactive linked masked static with
client ca pem key signing authority pub directory json toml db local tmp var lib etc dev
jan feb mar apr may jun jul aug sep oct nov dec
"""
"""Words of systemd's own lines, the usual names of our files, and months."""


class Words:
    """Lets words through.

    Args:
        names: taken out wherever they stand, whole.
        nodes: ids that may stay, eight hexadecimal digits each.
    """

    def __init__(self, names: Collection[str], nodes: Collection[str] = ()) -> None:
        kept = sorted({name.strip() for name in names if len(name.strip()) > 1}, key=len, reverse=True)
        # Also inside a longer word: "HARTs" says HART.
        self._names = re.compile("|".join(map(re.escape, kept)), re.IGNORECASE) if kept else None
        self._nodes = frozenset(nodes)

    def clean(self, text: object) -> str:
        """``text`` with nothing but known words and short numbers, on one line."""
        raw = str(text)
        if self._names:
            raw = self._names.sub(_NAME, raw)
        chunks = [self._chunk(chunk) for chunk in raw.split()]
        once = [now for before, now in zip(["", *chunks], chunks, strict=False) if (before, now) != (GONE, GONE)]
        return " ".join(once)[:_TEXT_CHARS_MAX]

    def _chunk(self, chunk: str) -> str:
        if _NAME not in chunk and self._passes(chunk):
            return chunk
        *folders, last = chunk.split("/")
        tail = last.rstrip(".,:;)\"'")
        if folders and tail and _NAME not in tail and self._passes(tail):
            return f"{GONE}/{tail}"
        return _NAME if _NAME in chunk else GONE

    def _passes(self, chunk: str) -> bool:
        pieces = list(filter(None, _PIECES.split(chunk)))
        if not _PLAIN.fullmatch(chunk) or (not pieces and len(chunk) > _SIGNS_MAX):
            return False
        if (found := _FRAME_ID.fullmatch(chunk.strip(".,:;()\"'"))) and found[1] in self._nodes:
            return True
        numbers = [piece for piece in pieces if piece.isdecimal()]
        if len(numbers) > _NUMBERS_MAX or not all(map(_NUMBER.fullmatch, numbers)):
            return False
        return all(piece.isdecimal() or piece.lower() in vocabulary() for piece in pieces)


@cache
def vocabulary() -> frozenset[str]:
    """Every word of the sources' texts and names, of the C library's errors and of systemd; lower case."""
    words = set(_WORD.findall(_SYSTEMD))
    words |= {name.lower() for name in dir(builtins) if name.endswith(("Error", "Exception", "Warning"))}
    for number in errno.errorcode:
        words |= {word.lower() for word in _WORD.findall(os.strerror(number))}
    for file in _sources():
        words.add(file.stem)
        for text in _texts(ast.parse(file.read_text(encoding="utf-8"))):
            words |= {word.lower() for word in _WORD.findall(text)}
    return frozenset(words)


@cache
def module_paths() -> frozenset[str]:
    """``node/app.py`` and so on: what may be named in a traceback."""
    return frozenset("/".join(file.parts[file.parts.index(_package_of(file)) :]) for file in _sources())


def _package_of(file: Path) -> str:
    return next(part for part in reversed(file.parts) if part in _PACKAGES)


def _sources() -> Iterator[Path]:
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            yield from Path(folder).rglob("*.py")


def _texts(tree: ast.Module) -> Iterator[str]:
    """Constants and names; not texts that stand by themselves: in a docstring's example there may be a real place."""
    # The tree is walked from the top: what stands by itself is met before its text.
    by_itself: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as document):
                by_itself.add(id(document))
            case ast.Constant(value=str(text)) if id(node) not in by_itself:
                yield text
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case _:
                pass
