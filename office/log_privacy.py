"""Keeps the secrets of one-time links out of the log."""

from __future__ import annotations

import logging
import re
from typing import Final

_LINK: Final = re.compile(r"(/(?:join|recover|rota/calendar)/)[^/\s]+")


class HideTokens(logging.Filter):
    """``/join/SECRET/`` is logged as ``/join/…/``."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without secrets."""
        if isinstance(record.args, tuple):
            record.args = tuple(_LINK.sub(r"\1…", one) if isinstance(one, str) else one for one in record.args)
        return True
