"""Whom an incident, a unit or a person on duty concerns: the people of its schemes (ADR 0023)."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from central.core.incident import Incident
from wire.directory import Directory
from wire.ids import NodeId


def audience_of(node: NodeId, named: Collection[int], directory: Directory) -> tuple[int, ...]:
    """Numbers of the schemes whose people see what ``node`` sends, rising.

    Args:
        node: the sender.
        named: schemes that it named: an open alert must not vanish when its premises leaves a scheme.
        directory: says in which schemes the premises is now.
    """
    sender = directory.senders.get(node)
    return tuple(sorted({*named, *(sender.schemes if sender is not None else ())}))


def moved_between(before: Directory, now: Directory) -> frozenset[NodeId]:
    """The units whose schemes differ: others see their alerts now."""
    return frozenset(
        node
        for node, sender in now.senders.items()
        if (old := before.senders.get(node)) is None or old.schemes != sender.schemes
    )


def is_seen(audience: Collection[int], mine: frozenset[int], town: Collection[int]) -> bool:
    """Whether people of the schemes ``mine`` see something that concerns ``audience``.

    What concerns none is seen by those who see every scheme of the ``town``. What concerns one that the directory does
    not have, or not any more, is still its own people's.
    """
    return any(number in mine for number in audience) if audience else sees_all(mine, town)


def sees_all(mine: frozenset[int], town: Collection[int]) -> bool:
    """Whether ``mine`` has every scheme of the ``town``; nobody has, of a town of which nothing is known."""
    return bool(town) and mine.issuperset(town)


class Reach(Struct, frozen=True):
    """The incidents on which somebody may act.

    Attributes:
        mine: the schemes that they may answer; ``None``: all, for an act from before there were accounts.
    """

    mine: frozenset[int] | None
    directory: Directory

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing on which they may act."""
        return self.mine is not None and not self.mine

    def has(self, incident: Incident) -> bool:
        """Whether they may act on it. If not, they are told nothing else than of one that does not exist."""
        if self.mine is None:
            return True
        audience = audience_of(incident.id.node, incident.schemes, self.directory)
        return is_seen(audience, self.mine, self.directory.schemes)

    def knows(self, node: NodeId) -> bool:
        """Whether the unit is one of theirs."""
        if self.mine is None:
            return True
        return is_seen(audience_of(node, (), self.directory), self.mine, self.directory.schemes)
