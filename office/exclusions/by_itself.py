"""How Watchlink itself moves cases when their time has come: each alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from office.accounts.access import in_turn
from office.exclusions.acts import MoveRefusedError

logger = logging.getLogger(__name__)


@contextmanager
def alone() -> Iterator[None]:
    """A transaction for one of those whose time has come. One that is refused keeps none of the others back."""
    try:
        with in_turn():
            yield
    except MoveRefusedError as e:
        logger.warning("a case could not be moved when its time was over: %s", e)
