"""View logs of nodes, as the office gets them."""

from __future__ import annotations

from tests.support.asking_town import TOWN
from wire.gallery_views import View, ViewRecord, head_of, no_views, write_view
from wire.ids import NodeId


def logged(
    node: NodeId, *cases: tuple[int, int], at_s: int = 1_000, staff: int = 1, is_proven: bool = True
) -> tuple[View, ...]:
    """A node's first records, a second apart.

    Args:
        node: whose.
        cases: (scheme, number) of whom each was; (0, 0) = a list.
        at_s: of the first, Unix time.
        staff: who looked.
        is_proven: whether the node's clock was.
    """
    found: list[View] = []
    head = no_views(TOWN, node)
    for n, (scheme, case) in enumerate(cases, 1):
        record = ViewRecord(
            n=n,
            at_s=at_s + n - 1,
            is_proven=is_proven,
            staff=staff,
            case=case,
            scheme=scheme,
            kind="person" if case else "list",
            before=head.digest,
        )
        found.append(write_view(record))
        head = head_of(found[-1])
    return tuple(found)
