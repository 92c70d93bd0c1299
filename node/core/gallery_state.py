"""What the node knows of the gallery on its unit, and of the people in it. No rules here."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.core.radio_state import Bucket
from node.core.screens import Screen
from wire import gallery_socket
from wire.frames import Alert

AT_ONCE: Final = 5
"""So many alerts that the gallery asks for may follow one another at once."""


class Person(Struct, frozen=True):
    """Somebody of a scheme's gallery, by the number of the reference: 42 = ``HART-0042``."""

    scheme: int
    number: int


class Request(Struct, frozen=True):
    """What the gallery asked for.

    Attributes:
        text: its own name for it.
        draft: number of the draft that it became; 0 = none.
        numbered: the alert that the draft became.
        refused: why it became none.
    """

    text: str
    draft: int = 0
    numbered: Alert | None = None
    refused: gallery_socket.NotRaised | None = None


class Told(Struct, frozen=True):
    """What the gallery was told last. See :mod:`node.core.panel.gallery_lines`.

    Attributes:
        offset_ms: central's time less the monotonic clock; ``None`` = not known.
        heard_s: the latest time of a frame of central's.
        reach, progress, neighbours: as told.
    """

    offset_ms: int | None = None
    heard_s: int = 0
    reach: gallery_socket.NodeState | None = None
    progress: tuple[gallery_socket.Progress, ...] = ()
    neighbours: tuple[gallery_socket.Neighbour, ...] = ()


class Visit(Struct, frozen=True):
    """Somebody looks at the gallery on the panel. See :mod:`node.core.press.visits`.

    Attributes:
        number: of the visit, within this run.
        used_ms: when a button was pressed last.
        screen: what the gallery shows; ``None`` = it has not said yet.
    """

    number: int
    used_ms: int
    screen: Screen | None = None


class Gallery(Struct, frozen=True):
    """The whole.

    Attributes:
        requests: newest last.
        tokens: how many alerts it may still ask for.
        told: so far.
        is_here: it is connected.
        visits: how many there were in this run.
        visit: the one that is; ``None`` = nobody looks.
    """

    requests: tuple[Request, ...] = ()
    tokens: Bucket = Bucket(1_000 * AT_ONCE)
    told: Told = Told()
    is_here: bool = False
    visits: int = 0
    visit: Visit | None = None
