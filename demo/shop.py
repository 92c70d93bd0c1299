"""A premises of the running town."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from demo.board import BoardLink, words_of
from demo.cable import Cable
from demo.premises import Address
from demo.program import Program
from node.hw.fake_board_client import BoardView


class Premises(Struct, frozen=True):
    """One premises with its node.

    Attributes:
        address: its names and schemes.
        node: its node's id.
        program: the node's process.
        board: its pins and panel.
        cable: its way to the broker.
        database: its node's disk.
    """

    address: Address
    node: str
    program: Program
    board: BoardLink
    cable: Cable
    database: Path

    @property
    def name(self) -> str:
        """``Corner Shop, High St``."""
        return f"{self.address.premises}, {self.address.place}"

    def is_named_on(self, view: BoardView) -> bool:
        """Whether a panel names it."""
        return self.address.is_named_in(words_of(view))

    def is_warned_by(self, other: Premises) -> bool:
        """Whether ``other``'s alerts concern it: a different premises with a scheme in common."""
        return self.address != other.address and bool(set(self.address.schemes) & set(other.address.schemes))
