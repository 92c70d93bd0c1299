"""From the wire to the core: what the head names, and of the lines what is not sealed."""

from __future__ import annotations

from datetime import UTC, datetime

from gallery.core import events as ev
from gallery.core.holdings import Line
from wire.gallery_head import GalleryHead
from wire.gallery_lines import GalleryLine, Lines, PhotographEntry

DIGEST = "ab" * 32


def test_verified_gallery_becomes_an_event() -> None:
    line = GalleryLine(17, 3, 100, 200, bytes(28), "0f" * 16, (PhotographEntry("small", DIGEST, 60),))
    lines = Lines.of([line])
    head = GalleryHead(1, 3, datetime(2026, 11, 27, tzinfo=UTC), 1, lines.digest, 86_400)

    told = ev.GalleryTold.of(head, lines, frozenset({(17, 3)}), after=2)

    assert ev.GalleryTold(1, 3, 86_400, (Line(17, 3, 100, 200, (DIGEST,)),), frozenset({(17, 3)}), 2) == told
