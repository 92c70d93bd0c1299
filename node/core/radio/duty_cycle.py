"""Airtime of the last ten minutes: ours, which is limited, and the others', which is measured (N10)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from node.core.radio_state import Radio, Usage

SLICE_MS: Final = 30_000
SLICES: Final = 20
WINDOW_MS: Final = SLICE_MS * SLICES
"""Ten minutes."""
OWN_PERCENT_MAX: Final = 20
"""Share of the window for everything but alerts' first tries and central's orders."""
ASKED_PERCENT_MAX: Final = 30
"""Share of the window for central's orders: a hostile broker leaves room for a press here."""
HARD_PERCENT_MAX: Final = 40
"""Share of the window for everything, other fresh alerts' first tries included, but an attack's first tries."""
POLITE_PERCENT: Final = 25
"""Path tests and the backlog wait while others use more of the channel than this."""


def add(usage: Usage, until_ms: int, length_ms: int) -> Usage:
    """Add ``length_ms`` that ended at ``until_ms``; slices older than the window are dropped."""
    slices = {number: ms for number, ms in usage.slices if number > until_ms // SLICE_MS - SLICES}
    start_ms = max(until_ms - min(length_ms, WINDOW_MS), 0)
    while start_ms < until_ms:
        number = start_ms // SLICE_MS
        end_ms = min((number + 1) * SLICE_MS, until_ms)
        if number > until_ms // SLICE_MS - SLICES:
            slices[number] = slices.get(number, 0) + end_ms - start_ms
        start_ms = end_ms
    return Usage(tuple(sorted(slices.items())))


def both(earlier: tuple[tuple[int, int], ...], later: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The slices of two runs combined, by one clock."""
    slices = Counter(dict(earlier))
    slices.update(dict(later))
    return tuple(sorted(slices.items()))


def rebased(
    slices: tuple[tuple[int, int], ...], kept_ms: int, now_ms: int, age_ms: int | None
) -> tuple[tuple[int, int], ...]:
    """Slices kept in another boot of the machine, converted to this boot's clock.

    Args:
        slices: as kept.
        kept_ms: when, by the clock of that boot.
        now_ms: by the clock of this one.
        age_ms: how long ago; ``None`` = unknown, and so taken as just now: a power cut must not reset the window.
    """
    moved = (now_ms - (age_ms or 0) - kept_ms) // SLICE_MS
    return tuple((number + moved, ms) for number, ms in slices)


def used_ms(usage: Usage, now_ms: int) -> int:
    """Airtime within the window that ends now, to a slice."""
    return sum(ms for number, ms in usage.slices if number > now_ms // SLICE_MS - SLICES)


def may_add(radio: Radio, now_ms: int, length_ms: int, percent_max: int) -> bool:
    """Whether an over of that length keeps our share of the window within ``percent_max``."""
    return 100 * (used_ms(radio.own_use, now_ms) + length_ms) <= percent_max * WINDOW_MS


def busy_percent(radio: Radio, started_ms: int, now_ms: int) -> int:
    """Share of the last ten minutes, or of this run if that is shorter, in which others were heard; 0 to 100."""
    used = used_ms(radio.others_use, now_ms)
    if radio.is_busy:
        used += max(0, now_ms - radio.channel.since_ms)
    span_ms = min(WINDOW_MS, max(now_ms - started_ms, 60_000))
    return max(0, min(100, 100 * used // span_ms))


def next_slice_ms(now_ms: int) -> int:
    """When the next slice begins."""
    return (now_ms // SLICE_MS + 1) * SLICE_MS
