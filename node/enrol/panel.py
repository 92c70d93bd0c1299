"""The unit's panel while it is enrolled, as far as it works; and the same in words on standard output."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.core.events import Event
from node.core.screens import Face, Screen
from node.enrol.command import Standing, Tell
from node.hw.board import open_board
from node.hw.errors import HardwareError
from node.hw.profiles import profile_named

logger = logging.getLogger(__name__)


def screen_of(standing: Standing) -> Screen:
    """As the panel shows it."""
    return Screen(Face.CLAIM, (standing.headline,), standing.lines)


@contextmanager
def telling(profile: str, fake_socket: Path | None) -> Iterator[Tell]:
    """What tells people where it stands. A panel that is missing or broken keeps nobody from being enrolled."""
    said: list[Standing] = []

    def say(standing: Standing) -> None:
        if said[-1:] != [standing]:
            said.append(standing)
            print(standing.sentence, flush=True)  # noqa: T201 - a command's answer

    try:
        board = open_board(profile_named(profile), _ignore, fake_socket=fake_socket)
    except HardwareError as e:
        logger.warning("the panel shows nothing: %s", e)
        yield say
        return

    def show(standing: Standing) -> None:
        say(standing)
        board.show(screen_of(standing))

    try:
        yield show
    finally:
        board.close()


def _ignore(_event: Event) -> None:
    """Nobody listens to the buttons yet."""
