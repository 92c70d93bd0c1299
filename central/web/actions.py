"""Actions sent by a browser, decoded. The core judges their words, and whether they may be done.

A browser does not say who acts: that is the session's. It may say in which of the person's own roles.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from central.core.view import PageAction, StartDuty
from wire.limits import MESSAGE_BYTES_MAX

ACTION_BYTES_MAX: Final = MESSAGE_BYTES_MAX
NOT_YOUR_ROLE: Final = "You do not have that role, or no longer. Reload the page and choose another."
RELOAD: Final = "This page is older than central. Reload it, then do it again."


class ActionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``{"action": {"type": "acknowledge", "incident": …}, "role": "cctv", "account": 7}``."""

    action: PageAction
    role: str = ""
    """Slug; empty: the person has one role only."""
    account: int = 0
    """Whose page it is; 0: it does not say. Another person may have signed in in the same browser since."""
    by: Any = None
    """From pages of versions before there were accounts: refused."""


class ActionError(ValueError):
    """Not understood or not allowed: a message for the operator, an HTTP ``status`` for the browser."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


_decoder: Final = msgspec.json.Decoder(ActionRequest)


def decode_action(body: bytes) -> ActionRequest:
    """Read one request.

    Raises:
        ActionError: 400 not JSON, 409 from a page of an older version, 413 too long, 422 not an action.

    A duty that begins here names the page as its proof. By a phone it begins when a test is opened there, and only so.
    """
    if len(body) > ACTION_BYTES_MAX:
        raise ActionError(413, f"The request is longer than {ACTION_BYTES_MAX} bytes.")
    try:
        asked = _decoder.decode(body)
    except msgspec.ValidationError as e:
        raise ActionError(422, f"That is not an action that central knows: {e}.") from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise ActionError(400, "The request is not JSON.") from e
    action = asked.action
    is_unproven = isinstance(action, StartDuty) and not action.is_sign and action.proof != "page"
    if asked.by is not None or is_unproven:
        raise ActionError(409, RELOAD)
    return asked
