"""Which reports a node may make. Pure."""

from __future__ import annotations

from office.nodes.rules.asking import Asker
from wire.gallery_reports import BreachReport


def split_by_right(asker: Asker, reports: tuple[BreachReport, ...]) -> tuple[tuple[BreachReport, ...], tuple[str, ...]]:
    """Those that may be kept, and ids of those that never will be: of a scheme that the asker is not in."""
    own = tuple(one for one in reports if one.scheme in asker.schemes)
    return own, tuple(one.id for one in reports if one.scheme not in asker.schemes)
