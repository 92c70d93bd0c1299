"""Debian's Chromium, as tests start it: without a window, and if that is to be had without tabs and menus."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright

from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS

_HEADLESS: Final = Path("/usr/bin/chromium-headless-shell")
"""The same engine of the same version. A whole Chromium without a window still draws tabs and menus, in processes of
their own, and takes almost three times the processor's time."""


def launched(playwright: Playwright) -> Browser:
    """A browser; whoever asks closes it."""
    program = _HEADLESS if _HEADLESS.exists() else CHROMIUM
    return playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
