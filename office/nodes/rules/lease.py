"""How long a node may show a gallery: as long after the last proof that it is in force as the gallery says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from wire.gallery_contact import Held
from wire.gallery_head import GalleryHead

OLD_S: Final = 300
"""The publisher proves twice a minute that it lives; later than this somebody must look."""


class Proof(Struct, frozen=True):
    """What the publisher has proven last.

    Attributes:
        at_s: when, Unix time.
        numbers: of the galleries that were in force then, by scheme.
    """

    at_s: int
    numbers: Mapping[int, int]


class Leases(Struct, frozen=True):
    """What a node is told.

    Attributes:
        until_s: until when it may show what it holds; 0 = of nothing it holds is anything proven.
        unproven: schemes of which nothing can be said: their lease stays as it was.
    """

    until_s: int
    unproven: tuple[int, ...]


def proven_s(head: GalleryHead, proof: Proof | None, now_s: int) -> int | None:
    """When this gallery was last known to be in force, Unix time; ``None`` = another is, or nobody knows.

    A head proves the moment at which it was made. What comes from the future proves nothing, or it would for ever.
    """
    made_s = int(head.made_at.timestamp())
    if made_s <= now_s + OLD_S and (proof is None or made_s >= proof.at_s):
        return min(made_s, now_s)
    if proof is None or proof.at_s > now_s + OLD_S or proof.numbers.get(head.scheme) != head.number:
        return None
    return min(proof.at_s, now_s)


def leases(
    schemes: Iterable[int],
    heads: Mapping[int, GalleryHead],
    holds: Iterable[Held],
    proof: Proof | None,
    now_s: int,
    *,
    may_be_copied: bool = False,
) -> Leases:
    """The lease of each gallery of a node.

    Args:
        schemes: that it may hold.
        heads: of the galleries that it is told of, or holds already, by scheme.
        holds: what it says that it holds.
        proof: the publisher's last.
        now_s: Unix time.
        may_be_copied: its view log says that there are two of it, and nobody has settled whether a card was broken.
    """
    held = {one.scheme: one.number for one in holds}
    ends: dict[int, int] = {}
    for scheme in schemes:
        head = heads.get(scheme)
        # It holds a later one, of an office that has forgotten it: nobody takes anything out of that one any more.
        if may_be_copied or head is None or held.get(scheme, 0) > head.number:
            continue
        at_s = proven_s(head, proof, now_s)
        if at_s is not None:
            ends[scheme] = at_s + head.lease_s
    return Leases(min(ends.values(), default=0), tuple(sorted(set(schemes) - ends.keys())))
