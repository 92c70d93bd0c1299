"""What each node holds, beside what it should hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from wire.directory import Directory
from wire.ids import NodeId


class Holding(Struct, frozen=True):
    """What a node has said that it holds of a scheme.

    Attributes:
        number: of the gallery; what is not in it was destroyed.
        is_complete: it has every photograph, too.
        since_s: Unix time at which it first said so.
    """

    number: int
    is_complete: bool
    since_s: int


class Standing(Struct, frozen=True):
    """A node in a scheme.

    Attributes:
        premises, place: its names.
        scheme: its name.
        newest: number of the newest gallery; 0 = none was published.
        is_struck: it may hold nothing any more. What it was last known to hold it shows until its lease ends, at most.
        held: ``None`` = it has never said that it holds one.
        asked_s: when it last asked, Unix time; ``None`` = never.
    """

    node: NodeId
    premises: str
    place: str
    scheme: str
    newest: int
    held: Holding | None
    asked_s: int | None
    is_struck: bool = False

    @property
    def is_behind(self) -> bool:
        """It may show somebody who must not be shown, or lacks somebody.

        So it may with a number above the newest, which a restored office forgot: it takes no lower one. About a struck
        one nobody can do more.
        """
        is_well = self.held is not None and self.held.number == self.newest and self.held.is_complete
        return self.newest > 0 and not is_well and not self.is_struck


def standings(
    directory: Directory,
    newest: Mapping[int, int],
    holdings: Mapping[tuple[NodeId, int], Holding],
    asked: Mapping[NodeId, int],
) -> Iterable[Standing]:
    """Of every node that may have a gallery, in each of its schemes, by number; and of each struck one that held one.

    Args:
        directory: the newest.
        newest: numbers of the newest galleries, by scheme.
        holdings: what nodes have said, by node and scheme.
        asked: when they last asked.
    """
    for node, sender in sorted(directory.senders.items()):
        if not sender.sealing_key:
            continue
        for scheme in sorted(sender.schemes):
            if sender.is_revoked and (node, scheme) not in holdings:
                continue
            yield Standing(
                node,
                sender.premises,
                sender.place,
                directory.schemes[scheme].name,
                newest.get(scheme, 0),
                holdings.get((node, scheme)),
                asked.get(node),
                is_struck=sender.is_revoked,
            )
