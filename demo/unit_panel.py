"""Somebody at the unit itself: they look at the gallery on its own panel, by four buttons and what they read there."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import partial
from typing import Final

from PIL import Image

from demo.board import BoardLink
from demo.notice import NeverCameError, Notice
from node.core.screens import Face
from node.hw.drawing import place_of_picture
from node.hw.fake_board_client import BoardView
from node.hw.profiles import profile_named

_PRESSES_MAX: Final = 3
_COUNTED_MAX: Final = 25
"""Twice round the ten digits, and some."""
_SHOWN_WITHIN_S: Final = 30.0
_OPENED_WITHIN_S: Final = 120.0
FACE_PX: Final = place_of_picture(profile_named("fake").panel).width_px


class UnitPanel:
    """The panel and the buttons of one unit.

    Args:
        board: the unit's.
        notice: told when it shows something else.
    """

    def __init__(self, board: BoardLink, notice: Notice) -> None:
        self._board = board
        self._notice = notice

    @property
    def view(self) -> BoardView:
        """What it shows now."""
        return self._board.view

    @property
    def image(self) -> Image.Image:
        """Its pixels now, mode ``1``; the photograph is the square of :data:`FACE_PX` on the left, if there is one."""
        return Image.open(io.BytesIO(self.view.png)).convert("1", dither=Image.Dither.NONE)

    async def sign_in(self, pin: str) -> None:
        """Of the one person who may: begin, the PIN digit by digit, done; returns once a face is shown.

        Raises:
            NeverCameError: it shows something else.
        """
        await self._press("seen", "LOCKED", lambda view: view.headline == "LOCKED")
        await self._press("responding", "where the PIN goes", lambda view: view.headline == "_")
        for digit in pin:
            await self._count_up_to(digit)
            await self._press("responding", "the place of the next digit", partial(_ends, "_"))
        await self._press("test", "that the PIN is done", lambda view: not _ends("_", view))
        await self._notice.until(
            lambda: self.is_pictured or None, f"the panel showed a face; it says {self.view.headline}", _OPENED_WITHIN_S
        )

    async def leave(self) -> None:
        """Go back to the idle face."""
        await self._press("cancel", "another face", lambda view: view.face != Face.GALLERY)

    @property
    def is_pictured(self) -> bool:
        """Whether the gallery shows a photograph: then there is no headline."""
        return self.view.face == Face.GALLERY and not self.view.headline

    async def _press(self, button: str, what: str, is_shown: Callable[[BoardView], bool]) -> None:
        """Press a button until the panel shows that; again only if nothing comes of it for long."""
        for _ in range(_PRESSES_MAX):
            if is_shown(self.view):
                return
            await self._board.press(button)
            with contextlib.suppress(NeverCameError):
                await self._notice.until(lambda: is_shown(self.view), what, _SHOWN_WITHIN_S)
        if not is_shown(self.view):
            raise NeverCameError(f"the panel showed {what}: {_said(self.view)}")

    async def _count_up_to(self, digit: str) -> None:
        """As often as it takes: past nine comes nought."""
        for _ in range(_COUNTED_MAX):
            before = self.view.headline
            if before.endswith(digit):
                return
            await self._press("seen", "another digit", lambda view, before=before: view.headline != before)  # type: ignore[misc]
        raise NeverCameError(f"the panel showed the digit {digit}: {_said(self.view)}")


def _ends(headline: str, view: BoardView) -> bool:
    return view.headline.endswith(headline)


def _said(view: BoardView) -> tuple[str, str, tuple[str, ...]]:
    return view.face, view.headline, view.lines
